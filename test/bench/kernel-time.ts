// In: a server. Out: tables of what the programs of the probes cost, beside empty ones and other tools.
import type { Nginx } from '../support/nginx.ts';
import { loadsFor } from './loads.ts';
import { costOfPrograms, sum, type Cost, type ProgramCost } from './probes.ts';
import { head, note, print, row } from './table.ts';
import { wrkFlatOut } from './wrk.ts';

/** Beside it, on the same load in the same run, empty programs on the same tracepoints: the floor of any probe. */
export async function costInTarget({ nginx }: { readonly nginx: Nginx }): Promise<void> {
  note('kernel time a request on nginx');
  const load = () => wrkFlatOut(`http://127.0.0.1:${nginx.port}/hello`, 4, 10);
  const { result, programs } = await costOfPrograms(['http'], load);
  const perRequest = (nanoseconds: number) => (nanoseconds / result.requests).toFixed(0);
  print('### Kernel time in the target: nginx flat out, ns a request\n');
  head('tracepoint', 'who', 'runs a request', 'ns a run', 'of it, an empty program', 'ns a request');
  for (const { attachPoint, runs, nanoseconds, floor } of programs) {
    if (runs < 0.01 * result.requests) continue;
    row(
      `\`${attachPoint.replace('tracepoint:', '')}\``,
      whoRuns(attachPoint),
      (runs / result.requests).toFixed(2),
      perRun({ runs, nanoseconds }),
      perRun(floor),
      perRequest(nanoseconds),
    );
  }
  const inNginx = (cost: (program: ProgramCost) => Cost) =>
    programs.reduce(
      (total, program) =>
        total + cost(program).nanoseconds * { nginx: 1, both: 0.5, wrk: 0 }[whoRuns(program.attachPoint)],
      0,
    );
  const floors = programs.map(({ floor }) => floor);
  row(
    '**nginx**',
    ...['', '', '', perRequest(inNginx(({ floor }) => floor))],
    `**${perRequest(inNginx((program) => program))}**`,
  );
  row(
    'all, with the client',
    ...['', '', '', perRequest(sum(floors).nanoseconds)],
    perRequest(sum(programs).nanoseconds),
  );
  print();
}

const perRun = ({ runs, nanoseconds }: Cost) => (nanoseconds / runs).toFixed(0);

/** Each alone, on a load of its own, all its programs together; both ends of it run here. */
export async function costOfProbes({ nginx }: { readonly nginx: Nginx }, seconds: number): Promise<void> {
  print('### Kernel time of each probe, on a load of its own: ns an event, both ends included\n');
  head('probe', 'load', 'event', 'runs an event', 'ns a run', 'ns an event', 'of it, empty programs');
  for (const { probe, name, event, run, peer } of loadsFor(nginx, seconds)) {
    note(`${probe}: ${name}`);
    const measured = await costOfPrograms([probe], run, peer?.start);
    const cost = sum(measured.programs);
    const events = measured.result ?? cost.runs;
    const cells = (one: Cost) => [
      (one.runs / events).toFixed(2),
      perRun(one),
      `**${(one.nanoseconds / events).toFixed(0)}**`,
    ];
    const floor = sum(measured.programs.map((program) => program.floor));
    row(`\`${probe}\``, name, event, ...cells(cost), (floor.nanoseconds / events).toFixed(0));
    if (peer === undefined || measured.peer === undefined) continue;
    if (typeof measured.peer === 'string')
      row(peer.name, `does not run here: ${measured.peer}`, '', '', '', '', '');
    else row(peer.name, 'the same', event, ...cells(measured.peer), '');
  }
  print();
}

/** nginx reads by recvfrom and writes by writev; wrk by read and write. */
const whoRuns = (tracepoint: string): 'nginx' | 'wrk' | 'both' => {
  if (/recvfrom|writev/.test(tracepoint)) return 'nginx';
  return /sys_enter_(read|write)$/.test(tracepoint) ? 'wrk' : 'both';
};
