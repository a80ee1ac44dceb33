// In: the openssl command. Out: a certificate authority of the test's own, and a certificate from it for 127.0.0.1.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';

export interface Certificates {
  readonly ca: string;
  readonly key: string;
  readonly cert: string;
}

/** Makes keys that are good for a day, and leaves no file behind. */
export const createCertificates = async (): Promise<Certificates> => {
  const folder = await mkdtemp(join(tmpdir(), 'plumbline-certificates-'));
  const openssl = (...args: readonly string[]) => execa('openssl', args, { cwd: folder });
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  try {
    await openssl(
      'req',
      '-x509',
      ...newKey,
      '-days',
      '1',
      '-subj',
      '/CN=test CA',
      '-keyout',
      'ca.key',
      '-out',
      'ca.crt',
    );
    await openssl(
      'req',
      ...newKey,
      '-subj',
      '/CN=test server',
      '-keyout',
      'server.key',
      '-out',
      'server.csr',
    );
    await writeFile(join(folder, 'names'), 'subjectAltName=IP:127.0.0.1,DNS:localhost');
    const signing = [
      '-CA',
      'ca.crt',
      '-CAkey',
      'ca.key',
      '-CAcreateserial',
      '-days',
      '1',
      '-extfile',
      'names',
    ];
    await openssl('x509', '-req', '-in', 'server.csr', ...signing, '-out', 'server.crt');
    const [ca, key, cert] = await Promise.all(
      ['ca.crt', 'server.key', 'server.crt'].map((name) => readFile(join(folder, name), 'utf8')),
    );
    return { ca: ca ?? '', key: key ?? '', cert: cert ?? '' };
  } finally {
    await rm(folder, { recursive: true });
  }
};
