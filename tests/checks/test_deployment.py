"""The files of deploy/ are what Kubernetes and compose take, and no workload may more than it needs."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from compose_spec import PyCompose

from haiyiban.settings import SECRETS, Settings
from tests.chaos.failover import PATIENCE

DEPLOY = Path(__file__).parents[2] / "deploy"
KUBERNETES = "1.33"
"""The oldest that is kept; what its schemas know, the newer ones know."""
COMPOSE = yaml.safe_load((DEPLOY / "compose" / "compose.yaml").read_text())
MANIFESTS = [
    document
    for file in sorted((DEPLOY / "kubernetes").glob("*.yaml"))
    for document in yaml.safe_load_all(file.read_text())
]
WORKLOADS = [each for each in MANIFESTS if each["kind"] in {"Deployment", "Job"}]
OURS = ["api", "worker", "migrate"]
WRITTEN_TO = {"/tmp", "/var/lib/haiyiban"}
KNOWN = {
    "DATABASE_URL",
    "REDIS_URL",
    "HAIYIBAN_KEYS_DIR",
    *(f"HAIYIBAN_{field.name.upper()}" for field in dataclasses.fields(Settings)),
} | {f"{name}_FILE" for name in SECRETS}
OF_THE_STORE = {"AWS_REGION", "AWS_ENDPOINT"}
"""What the library of the object store reads."""
VERSION = re.search(r'^version = "(.+)"$', (DEPLOY.parent / "pyproject.toml").read_text(), re.MULTILINE)
PROBES = json.loads((DEPLOY.parent / "openapi" / "openapi.json").read_text())["paths"]


def name_of(document: dict[str, Any]) -> str:
    return f"{document['kind']}-{document['metadata']['name']}"


def pod_of(workload: dict[str, Any]) -> dict[str, Any]:
    spec: dict[str, Any] = workload["spec"]["template"]["spec"]
    return spec


CONTAINERS = [
    pytest.param(workload, container, id=f"{name_of(workload)}-{container['name']}")
    for workload in WORKLOADS
    for container in pod_of(workload)["containers"]
]


@pytest.mark.parametrize("document", MANIFESTS, ids=name_of)
def test_kubernetes_takes_it(document: dict[str, Any]) -> None:
    """By its published schemas, in which an unknown field is a mistake."""
    kubernetes_validate.validate(document, KUBERNETES, strict=True)


def test_everything_lives_in_one_guarded_namespace() -> None:
    (namespace,) = [each for each in MANIFESTS if each["kind"] == "Namespace"]
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    rest = {each["metadata"]["namespace"] for each in MANIFESTS if each is not namespace}
    assert rest == {namespace["metadata"]["name"]}


@pytest.mark.parametrize(("workload", "container"), CONTAINERS)
def test_a_container_may_no_more_than_it_needs(workload: dict[str, Any], container: dict[str, Any]) -> None:
    pod = pod_of(workload)
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] > 10_000
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not any(pod.get(name) for name in ("hostNetwork", "hostPID", "hostIPC", "initContainers"))
    guarded = container["securityContext"]
    assert guarded["readOnlyRootFilesystem"] is True
    assert guarded["allowPrivilegeEscalation"] is False
    assert guarded["capabilities"] == {"drop": ["ALL"]}
    assert not guarded.get("privileged")
    written = {each["mountPath"] for each in container["volumeMounts"] if not each.get("readOnly")}
    assert written == WRITTEN_TO
    assert all(set(volume) & {"secret", "emptyDir"} for volume in pod["volumes"])
    mounted = {each["name"] for each in container["volumeMounts"]}
    assert mounted == {volume["name"] for volume in pod["volumes"]}


@pytest.mark.parametrize(("workload", "container"), CONTAINERS)
def test_a_container_says_what_it_takes_and_which_image(
    workload: dict[str, Any], container: dict[str, Any]
) -> None:
    assert {"cpu", "memory"} <= container["resources"]["requests"].keys()
    assert "memory" in container["resources"]["limits"]
    assert VERSION is not None
    assert container["image"].rpartition(":")[2] == VERSION[1]
    if workload["kind"] == "Job":
        assert workload["metadata"]["name"].endswith(VERSION[1]), "a job is never changed"


@pytest.mark.parametrize(("workload", "container"), CONTAINERS)
def test_a_container_is_asked_where_it_answers(workload: dict[str, Any], container: dict[str, Any]) -> None:
    if workload["kind"] == "Job":
        return
    for name, path in (("startup", "live"), ("readiness", "ready"), ("liveness", "live")):
        asked = container[f"{name}Probe"]["httpGet"]
        assert asked == {"path": f"/health/{path}", "port": "http"}
        assert asked["path"] in PROBES
    (port,) = container["ports"]
    told = {each["name"]: each.get("value") for each in container["env"]}
    expected = told.get("HAIYIBAN_WORKER_PORT", str(Settings().port))
    assert str(port["containerPort"]) == expected
    annotated = workload["spec"]["template"]["metadata"]["annotations"]
    assert annotated["prometheus.io/port"] == expected
    assert annotated["prometheus.io/path"] in PROBES


@pytest.mark.parametrize(("workload", "container"), CONTAINERS)
def test_the_settings_are_known_and_secrets_are_files(
    workload: dict[str, Any], container: dict[str, Any]
) -> None:
    (settings,) = [each for each in MANIFESTS if each["kind"] == "ConfigMap"]
    told = {each["name"]: each["value"] for each in container["env"]}
    assert (told.keys() | settings["data"].keys()) <= KNOWN | OF_THE_STORE
    assert not told.keys() & SECRETS
    folders = tuple(each["mountPath"] + "/" for each in container["volumeMounts"] if each.get("readOnly"))
    for name, value in told.items():
        assert not name.endswith("_FILE") or value.startswith(folders), name


def test_the_settings_of_the_map_can_be_read() -> None:
    (settings,) = [each for each in MANIFESTS if each["kind"] == "ConfigMap"]
    read = Settings.from_env(settings["data"])
    assert read.is_production
    assert read.keys_dir == Path("/keys")


def test_no_machine_has_a_key_that_it_does_not_need() -> None:
    """The audit's private key is the worker's; who only migrates has none."""
    keys = {
        each["metadata"]["labels"]["app.kubernetes.io/component"]: {
            volume["secret"]["secretName"] for volume in pod_of(each)["volumes"] if "secret" in volume
        }
        for each in WORKLOADS
        if each["kind"] == "Deployment"
    }
    assert keys == {
        "api": {"haiyiban-api", "haiyiban-keys-api"},
        "worker": {"haiyiban-worker", "haiyiban-keys-worker"},
    }
    (job,) = [each for each in WORKLOADS if each["kind"] == "Job"]
    assert [volume.get("secret", {}).get("secretName") for volume in pod_of(job)["volumes"]] == [
        "haiyiban-owner",
        None,
        None,
    ]


def test_a_rollout_and_a_drained_node_leave_enough() -> None:
    deployments = {each["metadata"]["name"]: each for each in WORKLOADS if each["kind"] == "Deployment"}
    budgets = {
        each["metadata"]["name"]: each["spec"] for each in MANIFESTS if each["kind"] == "PodDisruptionBudget"
    }
    assert budgets.keys() == deployments.keys()
    for name, deployment in deployments.items():
        assert deployment["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
        assert budgets[name]["maxUnavailable"] == 1
        labels = deployment["spec"]["selector"]["matchLabels"]
        assert budgets[name]["selector"]["matchLabels"] == labels
        assert labels.items() <= deployment["spec"]["template"]["metadata"]["labels"].items()
    (scaler,) = [each for each in MANIFESTS if each["kind"] == "HorizontalPodAutoscaler"]
    assert scaler["spec"]["minReplicas"] >= 2
    assert scaler["spec"]["scaleTargetRef"]["name"] in deployments
    assert "replicas" not in deployments[scaler["spec"]["scaleTargetRef"]["name"]]["spec"]


def test_who_is_not_named_may_talk_to_nobody() -> None:
    policies = [each["spec"] for each in MANIFESTS if each["kind"] == "NetworkPolicy"]
    assert {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]} in policies
    ports = {
        (next(iter(spec["podSelector"]["matchLabels"].values())), rule["ports"][0]["port"])
        for spec in policies
        for rule in spec.get("ingress", ())
    }
    assert ports == {("api", 8000), ("worker", 9000)}


def test_compose_takes_it() -> None:
    """With the anchors resolved, which are YAML's and not compose's."""
    found = PyCompose.from_yaml(yaml.safe_dump(COMPOSE))
    assert set(found.service_names()) == COMPOSE["services"].keys()
    wrong = json.loads(json.dumps(COMPOSE))
    wrong["services"]["api"]["cap_dropp"] = ["ALL"]
    with pytest.raises(ValueError, match="cap_dropp"):
        PyCompose.from_yaml(yaml.safe_dump(wrong))


@pytest.mark.parametrize("name", COMPOSE["services"])
def test_a_service_of_compose_may_no_more_than_it_needs(name: str) -> None:
    service = COMPOSE["services"][name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not service.keys() & {"privileged", "cap_add", "pid", "network_mode", "devices"}
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", service["user"]), "a number, and not root's"
    assert re.search(r":\d+\.\d+", service["image"]), "pinned"
    assert "healthcheck" in service or name == "api", "the API's is the image's own"
    assert set(service.get("secrets", ())) <= COMPOSE["secrets"].keys()
    mounts = [volume.split(":") for volume in service.get("volumes", ())]
    assert all(mount[-1] == "ro" or mount[0] in COMPOSE["volumes"] for mount in mounts)
    assert ("ports" in service) == (name == "proxy"), "one door"


@pytest.mark.parametrize("name", OURS)
def test_compose_sets_what_is_known_and_gives_keys_by_role(name: str) -> None:
    service = COMPOSE["services"][name]
    told = service["environment"]
    assert told.keys() <= KNOWN | OF_THE_STORE
    assert not told.keys() & SECRETS
    for setting, value in told.items():
        if setting.endswith("_FILE"):
            assert value.removeprefix("/run/secrets/") in service["secrets"], setting
    keys = [volume for volume in service.get("volumes", ()) if ":/keys:" in volume]
    assert keys == ([] if name == "migrate" else [f"./secrets/keys-{name}:/keys:ro"])
    assert VERSION is not None
    assert service["image"] == f"haiyiban:{VERSION[1]}"


def test_patroni_is_as_patient_as_the_failover_drill_showed() -> None:
    told = yaml.safe_load((DEPLOY / "postgres" / "patroni.yaml").read_text())
    assert PATIENCE.items() <= told["bootstrap"]["dcs"].items()


def test_the_image_runs_as_nobody_from_pinned_packages() -> None:
    lines = (DEPLOY / "Containerfile").read_text().replace("\\\n", " ")
    instructions = [line.split(maxsplit=1) for line in lines.splitlines() if re.match(r"[A-Z]+ ", line)]
    said = dict(instructions)
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", said["USER"])
    assert set(json.loads(said["VOLUME"])) == WRITTEN_TO
    assert json.loads(said["ENTRYPOINT"]) == ["/opt/haiyiban/bin/haiyiban"]
    assert json.loads(said["HEALTHCHECK"].partition("CMD ")[2]) == ["/opt/haiyiban/bin/haiyiban", "health"]
    installs = [part for part in re.split(r"&&|\n", lines) if "pip install" in part]
    assert installs
    assert all("--require-hashes" in part or "--no-index" in part for part in installs)
    assert "ADD" not in said
    assert re.fullmatch(r"BASE=.+:\d+\.\d+-slim", next(rest for name, rest in instructions if name == "ARG"))
