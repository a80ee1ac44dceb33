// In: histogram increases by version, node and window, as JSON. Out: the verdict, as a report or JSON.
import {
  checkInput,
  exitCode,
  judge,
  report,
  VerdictInputError,
  type JudgeOptions,
} from '@plumbline/verdict';
import { Command, InvalidArgumentError } from 'commander';
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';

interface Options {
  readonly json: boolean;
  readonly slo?: number;
  readonly expectedWeight?: number;
}

export const verdictCommand = (): Command =>
  new Command('verdict')
    .description('Judge a canary against its baseline from a file of windows.')
    .argument('<file>', 'JSON input; - for standard input')
    .option('--json', 'print the verdict as JSON', false)
    .option(
      '--slo <share>',
      'objective for answers without error, such as 0.999: adds burn rates',
      parseShare,
    )
    .option('--expected-weight <share>', 'traffic that the canary should have, such as 0.1', parseShare)
    .addHelpText(
      'after',
      `
Exit status: 0 pass, or skewed with code pass; 1 fail; 2 wrong input; 3 marginal or inconclusive.

Examples:
  plumbline verdict run.json
  cat run.json | plumbline verdict - --json | jq .code
`,
    )
    .action(async (file: string, { json, ...options }: Options, command: Command) => {
      const input = await readInput(file, command);
      try {
        const verdict = judge(checkInput(input), options satisfies JudgeOptions);
        process.stdout.write(json ? `${JSON.stringify(verdict, undefined, 2)}\n` : report(verdict));
        process.exitCode = exitCode(verdict);
      } catch (error) {
        if (!(error instanceof VerdictInputError)) throw error;
        refuse(command, `${file}: ${error.message}`);
      }
    });

const readInput = async (file: string, command: Command): Promise<unknown> => {
  try {
    return JSON.parse(file === '-' ? await text(process.stdin) : await readFile(file, 'utf8'));
  } catch (error) {
    const isSyntax = error instanceof SyntaxError;
    return refuse(
      command,
      `${file}: ${isSyntax ? 'not JSON' : 'cannot be read'}: ${(error as Error).message}`,
    );
  }
};

/** Wrong input is no wrong usage: the message says all, and the help would bury it. */
const refuse = (command: Command, message: string): never =>
  command.showHelpAfterError(false).error(`plumbline: ${message}`, { exitCode: 2 });

function parseShare(text: string): number {
  const share = Number(text);
  if (!(share > 0 && share < 1)) throw new InvalidArgumentError('expected a share between 0 and 1.');
  return share;
}
