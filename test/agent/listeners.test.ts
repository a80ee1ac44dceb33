// What keeps listeners safe: TLS, passwords and tokens, and clients that are slow, greedy or idle beside a scrape.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hash } from 'bcryptjs';
import { execa } from 'execa';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { plumbline, startAgent } from '../support/agent.ts';
import { createCertificates, type Certificates } from '../support/certificates.ts';
import { describeKernel } from '../support/kernel.ts';
import { startJudge, type RunningJudge } from '../support/judge.ts';

const away = 'prometheus: { url: "http://127.0.0.1:9", timeout: 200ms }';
const password = 'correct horse';
const token = 'a-token-of-enough-characters';

/** Status of a request over TLS that trusts `ca` alone; the error's code where there is no answer. */
const statusOverTls = async (
  url: string,
  options: { readonly ca: string; readonly auth?: string; readonly cert?: string; readonly key?: string },
): Promise<number | string> => {
  const asked = request(url, { ...options, agent: false });
  asked.end();
  try {
    const [response] = (await once(asked, 'response')) as [{ statusCode: number; resume: () => void }];
    response.resume();
    return response.statusCode;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'failed';
  }
};

const webFiles = async ({ ca, cert, key }: Certificates, more = '') => ({
  'server.crt': cert,
  'server.key': key,
  'ca.crt': ca,
  'web.yaml': `tls_server_config: { cert_file: server.crt, key_file: server.key${more} }
basic_auth_users: { prometheus: "${await hash(password, 4)}" }
`,
});

describe('--web.config.file', () => {
  let certificates: Certificates;
  beforeAll(async () => {
    certificates = await createCertificates();
  });

  test('lets in over TLS who knows the password, and nobody else; health is open', async () => {
    const judge = await startJudge(away, ['--web.config.file', 'web.yaml'], await webFiles(certificates));
    const { ca } = certificates;
    try {
      expect(judge.url).toMatch(/^https:/);
      const status = (path: string, auth?: string) =>
        statusOverTls(judge.url + path, { ca, ...(auth !== undefined && { auth }) });
      expect(await status('/metrics', `prometheus:${password}`)).toBe(200);
      expect(await status('/metrics', `prometheus:${password}`)).toBe(200);
      expect(await status('/metrics', 'prometheus:wrong')).toBe(401);
      expect(await status('/metrics', `nobody:${password}`)).toBe(401);
      expect(await status('/metrics')).toBe(401);
      expect(await status('/api/v1/verdict?app=a')).toBe(401);
      expect(await status('/healthz')).toBe(200);
      await expect(fetch(judge.url.replace('https', 'http'))).rejects.toThrow();
      expect(judge.log()).not.toContain(password);
    } finally {
      await judge.stop();
    }
  });

  test('asks for a client certificate of its authority', async () => {
    const more = ', client_auth_type: RequireAndVerifyClientCert, client_ca_file: ca.crt, min_version: TLS13';
    const files = await webFiles(certificates, more);
    const judge = await startJudge(away, ['--web.config.file', 'web.yaml'], files);
    const { ca, cert, key } = certificates;
    const other = await createCertificates();
    try {
      const url = `${judge.url}/healthz`;
      expect(await statusOverTls(url, { ca, cert, key })).toBe(200);
      expect(await statusOverTls(url, { ca })).toMatch(/^E/);
      expect(await statusOverTls(url, { ca, cert: other.cert, key: other.key })).toMatch(/^E/);
    } finally {
      await judge.stop();
    }
  });

  test('that is wrong stops the start and repeats no secret', async () => {
    const start = (web: string) => startJudge(away, ['--web.config.file', 'web.yaml'], { 'web.yaml': web });
    await expect(start('basic_auth_users: { prometheus: plain-text }')).rejects.toThrow(
      /basic_auth_users\.prometheus: expected a bcrypt hash .*, got something else/,
    );
    await expect(start('basic_auth_users: { prometheus: plain-text }')).rejects.not.toThrow(/plain-text/);
    await expect(start('tls_server_config: { cert_file: a, key_file: b }')).rejects.toThrow(
      /a: cannot be read, and TLS needs it/,
    );
    await expect(
      start('tls_server_config: { cert_file: a, key_file: b, cipher_suites: [x] }'),
    ).rejects.toThrow(/unknown "cipher_suites"/);
  });
});

test('with tokensFile the judge answers those who have a token', async () => {
  const judge = await startJudge(`${away}\ntokensFile: tokens`, [], { tokens: `${token}\n` });
  try {
    const status = async (authorization?: string) =>
      (await fetch(`${judge.url}/api/v1/verdict?app=a`, { headers: authorization ? { authorization } : {} }))
        .status;
    expect(await status(`Bearer ${token}`)).toBe(200);
    expect(await status(`Bearer ${token}x`)).toBe(401);
    expect(await status(`Basic ${btoa(`prometheus:${password}`)}`)).toBe(401);
    expect(await status()).toBe(401);
  } finally {
    await judge.stop();
  }
  await expect(startJudge(`${away}\ntokensFile: tokens`, [], { tokens: 'short\n' })).rejects.toThrow(
    /at least 16 characters/,
  );
});

/** Sockets that say what they are told, and stay; one by one, or the kernel's queue would drop some unseen. */
const openSockets = async (
  url: string,
  count: number,
  text: (i: number) => string,
): Promise<readonly Socket[]> => {
  const { hostname, port } = new URL(url);
  const sockets: Socket[] = [];
  while (sockets.length < count) {
    const socket = connect(Number(port), hostname);
    socket.on('error', () => undefined).resume();
    await once(socket, 'connect');
    socket.write(text(sockets.length));
    sockets.push(socket);
  }
  return sockets;
};

const idleSockets = 1000;

/** A thousand idle sockets, two hundred heads and as many bodies that never end, and bodies that are too large. */
const besiege = async (url: string): Promise<readonly Socket[]> => {
  const long = 'x'.repeat(100_000);
  const sockets = await Promise.all([
    openSockets(url, idleSockets, () => ''),
    openSockets(url, 200, () => 'GET /metrics HTTP/1.1\r\nHost: a\r\nX-Slow: '),
    openSockets(url, 200, () => 'POST /judge HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n{'),
    openSockets(
      url,
      20,
      () => `POST /api/v1/verdict HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n${long}`,
    ),
    openSockets(url, 20, () => `GET /metrics HTTP/1.1\r\nHost: a\r\nX-Long: ${long}\r\n\r\n`),
  ]);
  return sockets.flat();
};

const scrapesUnderSiege = async (url: string) => {
  const sockets = await besiege(url);
  try {
    for (let i = 0; i < 3; i++) {
      const response = await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(15_000) });
      expect(response.status).toBe(200);
      expect(await response.text()).toContain('# TYPE plumbline_');
    }
    // Whoever says nothing, or not all, is gone in the end.
    for (let waitedMs = 0; waitedMs < 30_000 && !sockets.every(isOver); waitedMs += 200) await sleep(200);
    expect(sockets.filter((socket) => !isOver(socket))).toHaveLength(0);
    // A browser would take what comes on an idle socket for the answer to its next request.
    expect(sockets.slice(0, idleSockets).reduce((sum, { bytesRead }) => sum + bytesRead, 0)).toBe(0);
  } finally {
    for (const socket of sockets) socket.destroy();
  }
};
const isOver = (socket: Socket) => socket.destroyed || socket.readableEnded;

describe('beside slow, greedy and idle clients', () => {
  let judge: RunningJudge;
  beforeAll(async () => {
    judge = await startJudge(away);
  });
  afterAll(() => judge.stop());

  test('a scrape of the judge is answered, and they are shown out', () => scrapesUnderSiege(judge.url));

  test('a body that is too large is refused', async () => {
    const response = await fetch(`${judge.url}/api/v1/verdict`, { method: 'POST', body: 'x'.repeat(70_000) });
    expect(response.status).toBe(413);
  });

  test('answers let no page of another origin use them', async () => {
    const { headers } = await fetch(`${judge.url}/`);
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  });
});

describeKernel('the agent', () => {
  test('answers a scrape beside slow, greedy and idle clients', async () => {
    // Whether the probes are loaded by now makes no difference to who is let in.
    const agent = await startAgent('', { awaitReady: false });
    try {
      await scrapesUnderSiege(agent.url);
    } finally {
      await agent.stop();
    }
  });

  test('shows its table over TLS to a user, and says to others what they lack', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'plumbline-top-'));
    const files = { ...(await webFiles(await createCertificates())), password: `${password}\n` };
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
    await chmod(folder, 0o755);
    const args = ['--web.config.file', join(folder, 'web.yaml')];
    const agent = await startAgent('', { awaitReady: false, args });
    const top = (user: string, ...options: readonly string[]) => {
      const url = agent.url.replace('https://', `https://${user}`);
      const command = [plumbline, 'top', '--count', '1', '--url', url, ...options];
      return execa(process.execPath, command, { cwd: folder, reject: false, all: true });
    };
    const trusting = ['--ca-file', 'ca.crt'];
    try {
      const user = await top('prometheus@', ...trusting, '--password-file', 'password');
      expect(user.all).toMatch(/^(APP +VERSION|No HTTP request seen yet)/);
      expect(user.exitCode).toBe(0);
      expect((await top('', ...trusting)).all).toMatch(/wants a user.*--password-file/);
      const stranger = await top('prometheus@', '--password-file', 'password');
      expect(stranger.all).toMatch(/does not answer: .*certificate/);
      expect(stranger.exitCode).toBe(1);
      expect(stranger.all).not.toContain(password);
    } finally {
      await agent.stop();
      await rm(folder, { recursive: true });
    }
  });
});
