// Starts `harden lsp` for the open folders, and shows what it says.
"use strict";

const vscode = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");
const { clientOptions, serverOptions } = require("./settings");

let client;

async function activate() {
  const ask = (prompt) => vscode.window.showInputBox({ prompt, ignoreFocusOut: true });
  const command = vscode.workspace.getConfiguration("harden").get("command");
  client = new LanguageClient("harden", "harden", serverOptions(command), clientOptions(ask));
  await client.start();
}

function deactivate() {
  return client?.stop();
}

module.exports = { activate, deactivate };
