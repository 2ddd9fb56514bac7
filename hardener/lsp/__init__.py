"""The language server lives here: a repository judged with the unsaved texts of an editor, and what the editor shows of
it. It writes no file; it sends edits. ``harden lsp`` alone loads it, with the extra ``lsp``."""
