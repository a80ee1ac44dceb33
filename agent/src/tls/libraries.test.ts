import { expect, test } from 'vitest';
import { open, readFile } from 'node:fs/promises';
import { functionsIn } from './elf.ts';
import { librariesIn } from './libraries.ts';

test('code of libssl is found by where it is mapped, also when its file has been replaced', () => {
  const maps = `00b6f000-00b71000 r-xp 0076f000 fe:00 247580                  /usr/bin/libssl-tool
7fac81a3e000-7fac81a5d000 r--p 00000000 fe:00 15630493                   /usr/lib/libssl.so.3
7fac81a5d000-7fac81aba000 r-xp 0001f000 fe:00 15630493                   /usr/lib/libssl.so.3
0ac81a5d000-0ac81aba000 r-xp 0001f000 00:2f 4711                         /app/lib/libssl-3e69114b.so.1.1 (deleted)
7fac81b00000-7fac81b0a000 r-xp 0001f000 fe:00 15630494                   /usr/lib/libcrypto.so.3
7ffd1000-7ffd2000 r-xp 00000000 00:00 0                                  [vdso]
`;
  expect(librariesIn(maps)).toEqual([
    { range: '7fac81a5d000-7fac81aba000', path: '/usr/lib/libssl.so.3' },
    { range: 'ac81a5d000-ac81aba000', path: '/app/lib/libssl-3e69114b.so.1.1 (deleted)' },
  ]);
});

test('an ELF file tells which functions it has; any other file has none', async () => {
  const own = await readFile('/proc/self/maps', 'utf8');
  const libc = /\/.*\/(?:libc\.so|ld-musl).*/.exec(own)?.[0] ?? '';
  const functionsOf = async (path: string) => {
    const file = await open(path);
    try {
      return await functionsIn(file, ['write', 'no_such_function', 'environ', 'read']);
    } finally {
      await file.close();
    }
  };
  expect(await functionsOf(libc), libc).toEqual(['write', 'read']);
  expect(await functionsOf('/etc/passwd')).toEqual([]);
  expect(await functionsOf('/proc/self/maps')).toEqual([]);
});
