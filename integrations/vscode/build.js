// Makes dist/extension.js of the extension and of the packages that it uses, with their licences and ours.
"use strict";

const esbuild = require("esbuild");
const fs = require("node:fs");

const { metafile } = esbuild.buildSync({
  entryPoints: ["extension.js"],
  outfile: "dist/extension.js",
  bundle: true,
  platform: "node",
  target: "node20",
  external: ["vscode"], // VS Code gives it
  metafile: true,
});
const folders = Object.keys(metafile.inputs).map((file) => file.match(/^.*node_modules\/(?:@[^/]+\/)?[^/]+/)?.[0]);
const used = [...new Set(folders.filter(Boolean))].sort();
fs.writeFileSync("dist/licences.txt", used.map(licence).join("\n"));
fs.copyFileSync("../../LICENSE", "LICENSE");

/** The name and licence of the package in `folder`. Throws where it has no file of that. */
function licence(folder) {
  const file = fs.readdirSync(folder).find((name) => /^licen[cs]e/i.test(name));
  return `${folder.split("node_modules/").at(-1)}\n\n${fs.readFileSync(`${folder}/${file}`, "utf8")}`;
}
