// What the extension decides without VS Code: how the server is started, and how a waiver gets its reason.
"use strict";

const LEAVE = "harden.leave";
const LANGUAGES = ["yaml", "terraform", "python"];

/** The program and its arguments of the setting `harden.command`. Throws for one that names no program. */
function serverOptions(command) {
  if (!Array.isArray(command) || !command.length || !command.every((word) => typeof word === "string" && word)) {
    throw new Error('harden.command: write a program and its arguments, such as ["harden", "lsp"]');
  }
  const [program, ...args] = command;
  return { command: program, args };
}

/** What the client of the protocol is told; `ask` gets a question and returns the reason of a waiver. */
function clientOptions(ask) {
  return {
    documentSelector: LANGUAGES.map((language) => ({ scheme: "file", language })),
    initializationOptions: { asksReason: true },
    middleware: { executeCommand: (command, args, next) => executed(command, args, next, ask) },
  };
}

/** Run a command of the server; a waiver is sent with its reason, or not at all. */
async function executed(command, args, next, ask) {
  if (command !== LEAVE || args.length > 1) {
    return next(command, args);
  }
  const reason = await ask("Why does it stay as it is?");
  return reason && reason.trim() ? next(command, [...args, reason]) : undefined;
}

module.exports = { clientOptions, executed, serverOptions };
