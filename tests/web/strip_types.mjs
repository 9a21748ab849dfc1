// Prints the files of a folder as JavaScript, by name: `node strip_types.mjs FOLDER`.
import { readdirSync, readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { join } from "node:path";

const folder = process.argv[2];
const names = readdirSync(folder).filter((name) => name.endsWith(".ts"));
const strip = (name) => stripTypeScriptTypes(readFileSync(join(folder, name), "utf8"));
process.stdout.write(JSON.stringify(Object.fromEntries(names.map((name) => [name, strip(name)]))));
