"use strict";

const assert = require("node:assert");
const test = require("node:test");
const { clientOptions, executed, serverOptions } = require("../settings");
const { contributes } = require("../package.json");

const next = async (command, args) => [command, args];

test("the default setting starts the server", () => {
  const { default: command } = contributes.configuration.properties["harden.command"];
  assert.deepStrictEqual(serverOptions(command), { command: "harden", args: ["lsp"] });
});

test("a setting that names no program is refused", () => {
  for (const wrong of [undefined, "harden lsp", [], [""], ["harden", 3]]) {
    assert.throws(() => serverOptions(wrong), /harden\.command/);
  }
});

test("only files are judged, and the server is told that reasons are asked for", () => {
  const options = clientOptions(async () => "x");
  assert.ok(options.documentSelector.every(({ scheme }) => scheme === "file"));
  assert.strictEqual(options.initializationOptions.asksReason, true);
});

test("a waiver gets the reason that was typed", async () => {
  const sent = await executed("harden.leave", [{ uri: "a" }], next, async () => "until 4.0");
  assert.deepStrictEqual(sent, ["harden.leave", [{ uri: "a" }, "until 4.0"]]);
});

test("a waiver without a reason is not sent", async () => {
  for (const said of [undefined, "", "  "]) {
    assert.strictEqual(await executed("harden.leave", [{}], next, async () => said), undefined);
  }
});

test("other commands are sent as they are", async () => {
  const sent = await executed("harden.explain", [1], next, () => assert.fail("nobody is asked"));
  assert.deepStrictEqual(sent, ["harden.explain", [1]]);
});
