// In: a process that holds BPF programs. Out: what fdinfo says of each.
import { readdir, readFile } from 'node:fs/promises';

/** The most that we let the verifier go through for one program, a fifth of what it would: the next compiler may differ. */
export const mostVerified = 200_000;

/** A number for each program; 0 from a kernel that does not tell (verified_insns: before Linux 5.16). */
export const fieldOfPrograms = async (
  pid: number,
  field: 'recursion_misses' | 'verified_insns',
): Promise<readonly number[]> => {
  const folder = `/proc/${pid}/fdinfo`;
  const byId = new Map<string, number>();
  for (const fd of await readdir(folder)) {
    const info = await readFile(`${folder}/${fd}`, 'utf8').catch(() => '');
    const id = /^prog_id:\s*(\d+)$/m.exec(info)?.[1];
    // A link has a prog_id, too, but no type of program.
    if (id === undefined || !/^prog_type:/m.test(info)) continue;
    byId.set(id, Number(new RegExp(`^${field}:\\s*(\\d+)$`, 'm').exec(info)?.[1] ?? 0));
  }
  return [...byId.values()];
};
