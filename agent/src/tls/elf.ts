// In: an ELF file. Out: which of some functions it has, exported or not.
import type { FileHandle } from 'node:fs/promises';

/** Of elf(5), for 64 bits and little-endian, which all machines have that we run on. */
const identification = Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1]);
const headerBytes = 64;
const sectionBytes = 64;
const symbolBytes = 24;
const symbolTables = [11, 2]; // SHT_DYNSYM, SHT_SYMTAB
const functionType = 2; // STT_FUNC
/** No symbol table has more; a file that says so is broken. */
const mostBytes = 2 ** 28;

interface Section {
  readonly type: number;
  readonly offset: number;
  readonly size: number;
  /** Of a table of symbols: the section with their names. */
  readonly link: number;
}

/** Those of the names that the file has a function of; none if it is no such file, or broken, or stripped of them. */
export const functionsIn = async (file: FileHandle, names: readonly string[]): Promise<readonly string[]> => {
  const header = await readBytes(file, 0, headerBytes);
  if (!header.subarray(0, identification.length).equals(identification)) return [];
  const sections = sectionsIn(
    await readBytes(file, Number(header.readBigUInt64LE(0x28)), header.readUInt16LE(0x3c) * sectionBytes),
  );
  for (const wanted of symbolTables) {
    const table = sections.find(({ type }) => type === wanted);
    const strings = table && sections[table.link];
    if (table === undefined || strings === undefined) continue;
    const found = functionsNamed(await read(file, table), await read(file, strings), names);
    if (found.length > 0) return found;
  }
  return [];
};

const sectionsIn = (table: Buffer): readonly Section[] =>
  Array.from({ length: Math.floor(table.length / sectionBytes) }, (_, index) => {
    const at = index * sectionBytes;
    return {
      type: table.readUInt32LE(at + 0x04),
      offset: Number(table.readBigUInt64LE(at + 0x18)),
      size: Number(table.readBigUInt64LE(at + 0x20)),
      link: table.readUInt32LE(at + 0x28),
    };
  });

const functionsNamed = (symbols: Buffer, strings: Buffer, names: readonly string[]): readonly string[] => {
  const nameAt = new Map(names.flatMap((name) => placesOf(name, strings).map((at) => [at, name] as const)));
  const found = new Set<string>();
  for (let at = 0; at + symbolBytes <= symbols.length; at += symbolBytes) {
    const name = nameAt.get(symbols.readUInt32LE(at));
    if (name === undefined) continue;
    const isFunction = (symbols.readUInt8(at + 4) & 0xf) === functionType;
    const isDefined = symbols.readUInt16LE(at + 6) !== 0;
    if (isFunction && isDefined) found.add(name);
  }
  return names.filter((name) => found.has(name));
};

/** More than one: the linker lets a name begin within a longer one that ends alike. */
const placesOf = (name: string, strings: Buffer): readonly number[] => {
  const places: number[] = [];
  for (let at = strings.indexOf(`${name}\0`); at !== -1; at = strings.indexOf(`${name}\0`, at + 1))
    places.push(at);
  return places;
};

const read = (file: FileHandle, { offset, size }: Section): Promise<Buffer> => readBytes(file, offset, size);

/** As many bytes as there are, up to `length`; none if that cannot be. */
const readBytes = async (file: FileHandle, position: number, length: number): Promise<Buffer> => {
  if (length > mostBytes || position > Number.MAX_SAFE_INTEGER) return Buffer.alloc(0);
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await file.read(buffer, 0, length, position);
  return buffer.subarray(0, bytesRead);
};
