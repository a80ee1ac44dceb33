// In: the kernel's types (BTF) and a program. Out: those types alone that the program names, as BTF. Pure.
// bpftrace 0.17 looks at all types, 150,000 of them, for each cast, and its C parser reads whatever hangs on a struct.
// The format is that of Documentation/bpf/btf.rst; all kernels that bpftrace runs here on are little-endian.

const magic = 0xeb9f;
const headerBytes = 24;
/** A type is its name, its kind with the number of its parts, and its size or another type; 4 bytes each. */
const typeBytes = 12;
const kinds = {
  integer: 1,
  pointer: 2,
  array: 3,
  struct: 4,
  union: 5,
  enumeration: 6,
  typedef: 8,
  function: 13,
} as const;
const lastKind = 19;
/** What stands behind a type, by kind: bytes once, and for each of its parts, which begin with a name. */
const extraBytes: Readonly<Record<number, number>> = { 1: 4, 3: 12, 14: 4, 17: 4 };
const partBytes: Readonly<Record<number, number>> = { 4: 12, 5: 12, 6: 8, 13: 8, 15: 12, 19: 12 };
/** Kinds whose third word is another type: pointer, typedef, volatile, const, restrict, type tag. */
const references: readonly number[] = [2, 8, 9, 10, 11, 18];

/**
 * Keeps the structs and unions that the program names, of these the members that it names, and the types of those; and
 * all enumerations and names of integers, which the arguments of tracepoints have. A member stays where it was: its
 * offset is in its type. What points to functions points to nothing instead.
 *
 * @throws Error when this is no BTF, or has a kind of type that is not known here
 */
export const sliceBtf = (btf: Buffer, program: string): Buffer => {
  const words = new Set(program.match(/\w+/g));
  if (words.has('curtask')) words.add('task_struct');
  const { count, startOf, nameAt } = openBtf(btf);
  const newIds = new Map([[0, 0]]);
  const types: Buffer[] = [];
  const strings = createStrings();
  const kindOf = (id: number) => kindAt(btf, startOf(id));

  const copy = (id: number): number => {
    const known = newIds.get(id);
    if (known !== undefined) return known;
    const newId = newIds.size;
    newIds.set(id, newId);
    const start = startOf(id);
    const kind = kindAt(btf, start);
    const parts = partsAt(btf, start).filter((at, index) => isWanted(kind, at, index));
    const type = Buffer.concat([
      btf.subarray(start, start + typeBytes + (extraBytes[kind] ?? 0)),
      ...parts.map((at) => btf.subarray(at, at + (partBytes[kind] ?? 0))),
    ]);
    types[newId - 1] = type;
    type.writeUInt16LE(parts.length, 4);
    const rename = (at: number) => type.writeUInt32LE(strings.add(nameAt(type.readUInt32LE(at))), at);
    const renumber = (at: number) => type.writeUInt32LE(copy(type.readUInt32LE(at)), at);
    rename(0);
    for (let at = typeBytes + (extraBytes[kind] ?? 0); at < type.length; at += partBytes[kind] ?? 0) {
      rename(at);
      if (isComposite(kind) || kind === kinds.function) renumber(at + 4);
    }
    if (kind === kinds.array) [typeBytes, typeBytes + 4].forEach(renumber);
    if (kind === kinds.pointer && isFunction(type.readUInt32LE(8))) type.writeUInt32LE(0, 8);
    else if (references.includes(kind) || kind === kinds.function) renumber(8);
    return newId;
  };

  /** Of structs and unions what has to do with the program; of enumerations the first value: without, they are no types. */
  const isWanted = (kind: number, at: number, index: number): boolean => {
    if (!isComposite(kind)) return kind !== kinds.enumeration || index === 0;
    const name = nameAt(btf.readUInt32LE(at));
    if (name !== '') return words.has(name);
    const inner = startOf(btf.readUInt32LE(at + 4));
    const innerKind = kindAt(btf, inner);
    return isComposite(innerKind) && partsAt(btf, inner).some((part) => isWanted(innerKind, part, 0));
  };

  const isInteger = (id: number): boolean =>
    id !== 0 &&
    (kindOf(id) === kinds.integer ||
      (kindOf(id) === kinds.typedef && isInteger(btf.readUInt32LE(startOf(id) + 8))));

  const isFunction = (id: number): boolean => id !== 0 && kindOf(id) === kinds.function;

  for (let id = 1; id <= count; id++) {
    const kind = kindOf(id);
    const isNamed = isComposite(kind) && words.has(nameAt(btf.readUInt32LE(startOf(id))));
    if (isNamed || kind === kinds.enumeration || (kind === kinds.typedef && isInteger(id))) copy(id);
  }
  return writeBtf(Buffer.concat(types), strings.bytes());
};

const isComposite = (kind: number): boolean => kind === kinds.struct || kind === kinds.union;
const kindAt = (btf: Buffer, start: number): number => (btf.readUInt32LE(start + 4) >>> 24) & 0x1f;

/** Where the parts of a type stand: members, values or parameters. */
const partsAt = (btf: Buffer, start: number): readonly number[] => {
  const kind = kindAt(btf, start);
  const bytes = partBytes[kind];
  if (bytes === undefined) return [];
  const first = start + typeBytes + (extraBytes[kind] ?? 0);
  return Array.from({ length: btf.readUInt16LE(start + 4) }, (_, index) => first + index * bytes);
};

/** Where types start, by id, from 1 on; and names by their offset. */
const openBtf = (btf: Buffer) => {
  if (btf.length < headerBytes || btf.readUInt16LE(0) !== magic) throw new Error('Expected BTF');
  const [header = 0, typesAt = 0, typesLength = 0, stringsAt = 0] = [4, 8, 12, 16].map((at) =>
    btf.readUInt32LE(at),
  );
  const end = header + typesAt + typesLength;
  const starts = new Uint32Array(typesLength / typeBytes + 1);
  let count = 0;
  for (let at = header + typesAt; at < end; at += lengthAt(btf, at)) starts[++count] = at;
  return {
    count,
    startOf: (id: number): number => starts[id] ?? 0,
    nameAt: (offset: number): string => {
      const at = header + stringsAt + offset;
      return btf.toString('latin1', at, btf.indexOf(0, at));
    },
  };
};

const lengthAt = (btf: Buffer, start: number): number => {
  const kind = kindAt(btf, start);
  if (kind === 0 || kind > lastKind)
    throw new Error(`Expected a kind of type from 1 to ${lastKind} in BTF, got ${kind}`);
  return typeBytes + (extraBytes[kind] ?? 0) + btf.readUInt16LE(start + 4) * (partBytes[kind] ?? 0);
};

const createStrings = () => {
  const offsets = new Map([['', 0]]);
  let length = 1;
  return {
    add: (text: string): number => {
      const known = offsets.get(text);
      if (known !== undefined) return known;
      offsets.set(text, length);
      length += text.length + 1;
      return length - text.length - 1;
    },
    bytes: () => Buffer.from(`${[...offsets.keys()].join('\0')}\0`, 'latin1'),
  };
};

const writeBtf = (types: Buffer, strings: Buffer): Buffer => {
  const header = Buffer.alloc(headerBytes);
  header.writeUInt16LE(magic, 0);
  header.writeUInt8(1, 2); // version
  [headerBytes, 0, types.length, types.length, strings.length].forEach((value, index) => {
    header.writeUInt32LE(value, 4 + 4 * index);
  });
  return Buffer.concat([header, types, strings]);
};
