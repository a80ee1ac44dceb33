import { expect, test } from 'vitest';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadWebConfig } from './web-config.ts';

const load = async (yaml: string) => {
  const folder = await mkdtemp(join(tmpdir(), 'plumbline-'));
  try {
    for (const [name, text] of Object.entries({ 'web.yaml': yaml, 'server.crt': 'crt', 'server.key': 'key' }))
      await writeFile(join(folder, name), text);
    return await loadWebConfig(join(folder, 'web.yaml'));
  } finally {
    await rm(folder, { recursive: true });
  }
};
const files = 'cert_file: server.crt, key_file: server.key';

test('an empty file lets everybody in, by HTTP', async () => {
  expect(await load('{}')).toEqual({ tls: undefined, checkPassword: undefined });
});

test('certificates of clients are verified by an authority that is named, or not at all', async () => {
  const asking = `${files}, client_auth_type: RequireAndVerifyClientCert`;
  await expect(load(`tls_server_config: { ${asking} }`)).rejects.toThrow('needs client_ca_file');
  await expect(load(`tls_server_config: { ${asking}, client_ca_file: ca.crt }`)).rejects.toThrow(
    'ca.crt: cannot be read, and TLS needs it',
  );
  await expect(load(`tls_server_config: { ${files}, client_auth_type: RequestClientCert }`)).rejects.toThrow(
    'client_auth_type',
  );
});
