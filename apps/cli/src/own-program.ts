/** This program as it was started, for processes that it starts: the interpreter and the script. */
export function ownProgram(): readonly [string, ...string[]] {
  return [process.execPath, process.argv[1] ?? ''];
}
