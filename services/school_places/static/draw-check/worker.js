// The check off the page's own thread, so that 150,000 children do not freeze it.
import { run } from "./run.js";

addEventListener("message", ({ data }) => {
  run(data.bytes, data.announced, data.pseudonym, (step, part) => postMessage({ step, part })).then(
    (result) => postMessage({ result }),
    (error) => postMessage({ failed: String(error) }),
  );
});
