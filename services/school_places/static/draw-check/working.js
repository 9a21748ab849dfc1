// Carries out a check in a worker; in the page itself where the browser has no module workers.
import { run } from "./run.js";

let busy = null;

/** The result of `run`; what was still at work is given up. Rejects when the browser cannot do it. */
export function work(bytes, announced, pseudonym, tell) {
  busy?.terminate();
  return new Promise((resolve, reject) => {
    let worker;
    const here = () => run(bytes, announced, pseudonym, tell).then(resolve, reject);
    try {
      worker = new Worker("/draw-check/worker.js", { type: "module" });
    } catch {
      here();
      return;
    }
    busy = worker;
    let isHeard = false;
    worker.addEventListener("error", (event) => {
      event.preventDefault();
      worker.terminate();
      if (isHeard) reject(new Error("the worker broke"));
      else here();
    });
    worker.addEventListener("message", ({ data }) => {
      isHeard = true;
      if (data.step) tell(data.step, data.part);
      if (data.failed) reject(new Error(data.failed));
      if (data.result) resolve(data.result);
      if (data.failed || data.result) worker.terminate();
    });
    worker.postMessage({ bytes, announced, pseudonym });
  });
}
