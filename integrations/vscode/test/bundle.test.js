"use strict";

const assert = require("node:assert");
const fs = require("node:fs");
const Module = require("node:module");
const test = require("node:test");

const BUNDLE = `${__dirname}/../dist/extension.js`;
const skip = fs.existsSync(BUNDLE) ? false : "needs npm run build";

/** Stands in for whatever VS Code offers. */
function anything() {
  return new Proxy(class {}, { get: (own, name) => (name in own ? own[name] : anything()) });
}

test("what is built needs VS Code alone", { skip }, () => {
  const load = Module._load;
  Module._load = (name, ...rest) => (name === "vscode" ? anything() : load(name, ...rest));
  try {
    assert.deepStrictEqual(Object.keys(require(BUNDLE)), ["activate", "deactivate"]);
  } finally {
    Module._load = load;
  }
});

test("the licences of what is built are beside it", { skip }, () => {
  const said = fs.readFileSync(`${__dirname}/../dist/licences.txt`, "utf8");
  assert.match(said, /^vscode-languageclient\n[^]*MIT/m);
});
