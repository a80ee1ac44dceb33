// In: an object file that bpftrace wrote (--emit-elf). Out: its programs, instruction by instruction. Pure.

/** Of include/uapi/linux/bpf.h, struct bpf_insn. */
export interface Instruction {
  readonly code: number;
  readonly source: number;
  readonly offset: number;
  readonly immediate: number;
}

export interface BpfProgram {
  readonly name: string;
  readonly instructions: readonly Instruction[];
}

const instructionBytes = 8;

/** The sections of an ELF file of 64 bits, little-endian, that bpftrace names after its probes. */
export const programsIn = (elf: Buffer): readonly BpfProgram[] => {
  const tableAt = Number(elf.readBigUInt64LE(0x28));
  const [entryBytes, entries, nameSection] = [0x3a, 0x3c, 0x3e].map((at) => elf.readUInt16LE(at));
  const sectionAt = (index = 0) => {
    const at = tableAt + index * (entryBytes ?? 0);
    const [start, size] = [0x18, 0x20].map((field) => Number(elf.readBigUInt64LE(at + field)));
    return { nameAt: elf.readUInt32LE(at), content: elf.subarray(start, (start ?? 0) + (size ?? 0)) };
  };
  const names = sectionAt(nameSection).content;
  return Array.from({ length: entries ?? 0 }, (_, index) => sectionAt(index))
    .map(({ nameAt, content }) => ({
      name: names.toString('latin1', nameAt, names.indexOf(0, nameAt)),
      instructions: instructionsOf(content),
    }))
    .filter(({ name }) => name.startsWith('s_'));
};

const instructionsOf = (section: Buffer): readonly Instruction[] =>
  Array.from({ length: Math.floor(section.length / instructionBytes) }, (_, index) => {
    const at = index * instructionBytes;
    return {
      code: section.readUInt8(at),
      source: section.readUInt8(at + 1) >> 4,
      offset: section.readInt16LE(at + 2),
      immediate: section.readInt32LE(at + 4),
    };
  });

const classOf = ({ code }: Instruction): number => code & 0x07;
const jump = 0x05;
const jump32 = 0x06;
const [always, call, exit] = [0x05, 0x85, 0x95];
/** Takes two places. */
const loadImmediate64 = 0x18;

/** Numbers of the kernel's functions that it calls, as in include/uapi/linux/bpf.h. */
export const helpersOf = ({ instructions }: BpfProgram): readonly number[] =>
  instructions.filter(({ code }) => code === call).map(({ immediate }) => immediate);

/** Whether it has jumps that compare 32 bits: these came with Linux 5.1. */
export const hasShortJumps = ({ instructions }: BpfProgram): boolean =>
  instructions.some((instruction) => classOf(instruction) === jump32);

/** Whether a jump leads back to where it came from, as the verifier finds out: a walk that meets its own path. */
export const hasLoop = ({ instructions }: BpfProgram): boolean => {
  const nextOf = (index: number): readonly number[] => {
    const instruction = instructions[index];
    if (instruction === undefined || instruction.code === exit) return [];
    const target = index + 1 + instruction.offset;
    if (instruction.code === always) return [target];
    const isJump = [jump, jump32].includes(classOf(instruction)) && instruction.code !== call;
    const next = index + (instruction.code === loadImmediate64 ? 2 : 1);
    return isJump ? [next, target] : [next];
  };
  const done = new Set<number>();
  const path = new Set<number>();
  const meetsItself = (index: number): boolean => {
    if (done.has(index)) return false;
    if (path.has(index)) return true;
    path.add(index);
    const found = nextOf(index).some(meetsItself);
    path.delete(index);
    done.add(index);
    return found;
  };
  return meetsItself(0);
};
