// In: a web configuration file, in the form that Prometheus' exporters share. Out: TLS settings and who may come in.
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { TlsOptions } from 'node:tls';
import { z } from 'zod';
import { ConfigError, loadYaml } from '../config.ts';
import { createPasswordCheck, type PasswordCheck } from './passwords.ts';

const text = z.string().min(1);
const version = z.enum(['TLS12', 'TLS13']);

const schema = z.strictObject({
  tls_server_config: z
    .strictObject({
      cert_file: text,
      key_file: text,
      client_auth_type: z
        // The other types of exporters let in whoever has no certificate, or makes one.
        .enum(['NoClientCert', 'RequireAndVerifyClientCert'])
        .default('NoClientCert'),
      client_ca_file: text.optional(),
      min_version: version.default('TLS12'),
      max_version: version.default('TLS13'),
    })
    .optional(),
  basic_auth_users: z
    .record(
      text,
      z
        .string()
        .regex(
          /^\$2[aby]\$(0[4-9]|[12]\d|3[01])\$[./A-Za-z0-9]{53}$/,
          'expected a bcrypt hash (htpasswd -nBC 10 "")',
        ),
    )
    .optional(),
});

type TlsServerConfig = NonNullable<z.output<typeof schema>['tls_server_config']>;

/** What a listener does with it. */
export interface WebConfig {
  /** Undefined without TLS. Read anew each time: certificates are rotated. */
  readonly tls: (() => Promise<TlsOptions>) | undefined;
  /** Undefined where everybody may come in. */
  readonly checkPassword: PasswordCheck | undefined;
}

/** For a listener without a configuration file. */
export const openWebConfig: WebConfig = { tls: undefined, checkPassword: undefined };

/**
 * Reads and checks a file; paths in it are relative to it.
 *
 * @throws ConfigError naming file, key, what was expected and what was got, but no hash and no key
 */
export const loadWebConfig = async (file: string): Promise<WebConfig> => {
  const { tls_server_config: tls, basic_auth_users: users } = await loadYaml(schema, file, [
    'basic_auth_users',
  ]);
  const checkPassword = users && createPasswordCheck(users);
  if (tls === undefined) return { tls: undefined, checkPassword };
  const readTls = () => tlsOptions(tls, dirname(file));
  await readTls();
  return { tls: readTls, checkPassword };
};

const tlsOptions = async (config: TlsServerConfig, folder: string): Promise<TlsOptions> => {
  const read = async (path: string) => {
    try {
      return await readFile(resolve(folder, path));
    } catch (cause) {
      throw new ConfigError(`${path}: cannot be read, and TLS needs it`, { cause });
    }
  };
  const verifies = config.client_auth_type === 'RequireAndVerifyClientCert';
  if (verifies && config.client_ca_file === undefined)
    throw new ConfigError('tls_server_config: RequireAndVerifyClientCert needs client_ca_file');
  return {
    cert: await read(config.cert_file),
    key: await read(config.key_file),
    minVersion: config.min_version === 'TLS13' ? 'TLSv1.3' : 'TLSv1.2',
    maxVersion: config.max_version === 'TLS13' ? 'TLSv1.3' : 'TLSv1.2',
    ...(config.client_ca_file !== undefined && { ca: await read(config.client_ca_file) }),
    requestCert: verifies,
    rejectUnauthorized: verifies,
  };
};
