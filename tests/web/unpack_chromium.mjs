// Unpacks the Chromium of the npm package @sparticuz/chromium: `node unpack_chromium.mjs NODE_MODULES TO`.
import { execFileSync } from "node:child_process";
import { createReadStream, createWriteStream, mkdirSync } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createBrotliDecompress } from "node:zlib";

const [from, to] = process.argv.slice(2);
const packed = join(from, "@sparticuz", "chromium", "bin");
mkdirSync(to, { recursive: true });

async function unpack(name, target, mode) {
  await pipeline(
    createReadStream(join(packed, name)),
    createBrotliDecompress(),
    createWriteStream(target, { mode }),
  );
}

await unpack("chromium.br", join(to, "chromium"), 0o755);
for (const name of ["al2023.tar.br", "swiftshader.tar.br"]) {
  const archive = join(to, "archive.tar");
  await unpack(name, archive, 0o644);
  execFileSync("tar", ["-xf", archive, "-C", to]);
}
