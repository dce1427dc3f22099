/** Ends the command with this exit code and no further word: what was run has said why. */
export class ExitCode extends Error {
  override readonly name = 'ExitCode';
  readonly exitCode: number;

  constructor(exitCode: number) {
    super(`exit code ${exitCode}`);
    this.exitCode = exitCode;
  }
}
