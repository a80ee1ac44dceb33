// The last minutes in the agent's memory, from requests that real servers answered.
import { checkInput } from '@plumbline/verdict';
import { execa } from 'execa';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createCgroupTree, type CgroupTree } from '../../demo/cgroup.ts';
import { plumbline, startAgent, type RunningAgent } from '../support/agent.ts';
import { get, openConnection } from '../support/client.ts';
import { describeKernel } from '../support/kernel.ts';
import { startNginx, type Nginx } from '../support/nginx.ts';

describeKernel('history', () => {
  let tree: CgroupTree;
  let servers: readonly Nginx[];
  let agent: RunningAgent;
  const requests = { v1: 60, v2: 40 };

  const ask = async (path: string) => {
    const response = await fetch(`${agent.url}${path}`);
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };

  beforeAll(async () => {
    tree = await createCgroupTree('plumbline-test-history');
    const [v1, v2] = await Promise.all(
      ['checkout-v1', 'checkout-v2'].map((cgroup) => startNginx({ tree, cgroup })),
    );
    if (v1 === undefined || v2 === undefined) throw new Error('Expected two servers');
    servers = [v1, v2];
    agent = await startAgent(`
node: n1
history: { window: 1s }
workloads: { static: [{ cgroup: "${tree.path}/*-*", namespace: shop, app: $1, version: $2 }] }`);
    for (const [server, count] of [
      [v1, requests.v1],
      [v2, requests.v2],
    ] as const) {
      const connection = await openConnection(server.port);
      for (let index = 1; index <= count; index++) {
        connection.send(get('/hello'));
        await connection.responses(index);
      }
      connection.socket.destroy();
    }
    await agent.settle();
    await sleep(1500); // The window that holds the last request closes.
  });
  afterAll(async () => {
    await agent.stop();
    await Promise.all(servers.map((server) => server.stop()));
    await tree.remove();
  });

  test('the app is found with its versions, the one with less traffic as the canary', async () => {
    const { body } = await ask('/api/v1/apps');
    expect(body).toMatchObject({
      node: 'n1',
      apps: [{ namespace: 'shop', app: 'checkout', canary: 'v2', baseline: 'v1' }],
    });
  });

  test('its windows hold every request once, and are what `plumbline verdict` reads', async () => {
    const { body } = await ask('/api/v1/history?app=checkout');
    const { windows } = checkInput(body);
    const cells = windows.flatMap((window) => window.cells);
    const counted = (arm: string) =>
      cells.filter((cell) => cell.arm === arm).reduce((total, cell) => total + cell.requests, 0);
    expect([counted('baseline'), counted('canary')]).toEqual([requests.v1, requests.v2]);
    const { stdout, exitCode } = await execa(process.execPath, [plumbline, 'verdict', '-'], {
      input: JSON.stringify(body),
      reject: false,
    });
    expect(stdout).toContain('INCONCLUSIVE: checkout v2 against v1');
    expect(exitCode).toBe(3);
  });

  test('so few requests are inconclusive with status 200, wrong questions a 400', async () => {
    const { status, body } = await ask('/api/v1/verdict?app=checkout');
    expect(status).toBe(200);
    expect(body).toMatchObject({ apiVersion: 'plumbline/v1', verdict: 'inconclusive', canary: 'v2' });
    expect((await ask('/api/v1/verdict?app=checkout&canary=v1&baseline=v1')).status).toBe(400);
  });
});
