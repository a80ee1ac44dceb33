// Every program that an old kernel would be given, in full and reduced, against what the verifier of Linux 4.18 takes.
import { execa } from 'execa';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { sliceBtf } from '../../agent/src/bpftrace/btf.ts';
import { readJiffyClock } from '../../agent/src/bpftrace/clock.ts';
import { kernelTypesOf } from '../../agent/src/bpftrace/compose.ts';
import { chooseProbes, composeProbes, loadProbes, ownTypes } from '../../agent/src/probes.ts';
import { hasLoop, hasShortJumps, helpersOf, programsIn, type Instruction } from '../support/bpf-object.ts';
import { withFile } from '../support/agent.ts';
import { describeKernel } from '../support/kernel.ts';

const kernelBtf = '/sys/kernel/btf/vmlinux';
const include = new URL('../../bpf/include', import.meta.url).pathname;
/** BPF_MAXINSNS, up to Linux 5.1. */
const mostInstructions = 4096;
/** get_current_cgroup_id, the last one that came with Linux 4.18 (include/uapi/linux/bpf.h). */
const lastHelper = 80;
/** Where the kernel lacks probe_read_user, _kernel and their _str, and ktime_get_boot_ns, bpftrace takes older ones. */
const replaceable = [112, 113, 114, 115, 125];

describeKernel('the verifier of Linux 4.18 would take every program', () => {
  test.each([
    { variant: 'in full', under: [], args: [] },
    {
      variant: 'reduced, without BTF',
      under: ['unshare', '-m', 'sh', '-c', 'mount -t tmpfs none /sys/kernel/btf && exec "$@"', 'sh'],
      args: ['-I', include, '--include', 'linux/types.h'],
    },
  ])('$variant: its length, its jumps, its helpers', async ({ under, args }) => {
    const isReduced = args.length > 0;
    const probes = (await loadProbes())
      .flatMap(({ source, reduced, leastKernel }) =>
        leastKernel === undefined && !isReduced ? source : (reduced ?? []),
      )
      .filter((source) => !isReduced || kernelTypesOf(programOf(source), ownTypes).length === 0)
      .map((source) => ({ source }));
    const text = composeProbes(probes, 1000, await readJiffyClock());
    const programs = await compile(text, under, args);
    expect(programs.length).toBeGreaterThan(10);
    expect(programs.flatMap(helpersOf), 'it looks into maps').toContain(1);
    for (const program of programs) {
      const { name, instructions } = program;
      expect.soft(instructions.length, name).toBeLessThanOrEqual(mostInstructions);
      expect.soft(hasLoop(program), name).toBe(false);
      expect.soft(hasShortJumps(program), name).toBe(false);
      const late = helpersOf(program).filter((id) => id > lastHelper && !replaceable.includes(id));
      expect.soft(late, name).toEqual([]);
    }
  });
});

describeKernel('the types of the program alone', () => {
  test('make the same programs as all types of the kernel', async () => {
    const probes = chooseProbes(await loadProbes(), undefined);
    const text = composeProbes(probes, 1000, await readJiffyClock());
    const programs = await compile(text, [], []);
    const slice = sliceBtf(await readFile(kernelBtf), text);
    await withFile(slice, async (file) => {
      expect(await compile(text, [], [], file)).toEqual(programs);
    });
  });
});

test('a jump back to where it came from is a loop, and one to what another path has passed is none', () => {
  const instruction = (code: number, offset = 0): Instruction => ({ code, source: 0, offset, immediate: 0 });
  const [jumpIfEqual, jumpAlways, exit] = [0x15, 0x05, 0x95];
  const program = (...instructions: Instruction[]) => ({ name: 'made up', instructions });
  expect(hasLoop(program(instruction(jumpIfEqual, -1), instruction(exit)))).toBe(true);
  // 0 → 1 or 2; 2 → 1: backwards, and no loop.
  const back = [instruction(jumpIfEqual, 1), instruction(exit), instruction(jumpAlways, -2)];
  expect(hasLoop(program(...back))).toBe(false);
});

const programOf = (source: string) => composeProbes([{ source }], 1000, undefined);

/** Compiles, and loads nothing. */
const compile = async (
  text: string,
  under: readonly string[],
  args: readonly string[],
  btfFile = kernelBtf,
) => {
  const folder = await mkdtemp(join(tmpdir(), 'plumbline-test-'));
  const object = join(folder, 'object');
  try {
    const command = [...under, 'bpftrace', ...args, '--emit-elf', object, '-'];
    const env = args.length > 0 ? {} : { BPFTRACE_BTF: btfFile };
    await execa('env', command, { input: text, env });
    return programsIn(await readFile(object));
  } finally {
    await rm(folder, { recursive: true });
  }
};
