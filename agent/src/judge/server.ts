// In: a service. Out: the judge's HTTP server: verdicts for Argo Rollouts, Flagger, Kayenta and people; gauges; health.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Logger } from 'pino';
import type { Exposition } from '../exposition/families.ts';
import { createLane } from '../http/lane.ts';
import { readBody, startListener, type RunningServer } from '../http/listener.ts';
import type { WebConfig } from '../http/web-config.ts';
import { createFlaggerSurface } from './flagger.ts';
import { kayentaSurface } from './kayenta.ts';
import { remoteJudgeSurface } from './remote-judge.ts';
import type { JudgeService } from './service.ts';
import { RequestError, type Surface, type SurfaceAnswer } from './surface.ts';
import { webSurface } from './web.ts';

export interface JudgeServerOptions {
  readonly host: string;
  readonly port: number;
  readonly service: JudgeService;
  readonly metrics: Exposition;
  readonly webConfig?: WebConfig;
  readonly tokens?: readonly string[] | undefined;
  readonly log: Logger;
}

const paths = [
  'GET  /api/v1/verdict?app=NAME[&namespace=&canary=&baseline=&since=30m]',
  'GET  /api/v1/events',
  'POST /flagger/rollout, confirm-traffic-increase, confirm-promotion, rollback, event',
  'GET  /canaryConfig, POST /canary/plumbline, GET /canary/EXECUTION',
  'POST /judge',
  'GET  /metrics, /healthz, /readyz',
];

/** Listens. Health is open to everybody; all else needs what the listener asks for. */
export const startJudgeServer = (options: JudgeServerOptions): Promise<RunningServer> => {
  const surfaces = [webSurface, createFlaggerSurface([]), kayentaSurface, remoteJudgeSurface];
  const scrapes = createLane(40);
  const usual = createLane(500);
  const remote = createLane(8);
  return startListener({
    ...options,
    openPaths: ['/healthz', '/readyz'],
    handler: (request, response) => {
      if (request.url === '/metrics') return scrapes(response, () => scrape(options.metrics, response));
      // Kayenta sends along some hundred series, of a day by the minute.
      const [lane, maxBodyBytes] = request.url === '/judge' ? [remote, 16e6] : [usual, 65_536];
      return lane(response, () => answer(options, surfaces, maxBodyBytes, request, response));
    },
  });
};

const scrape = async ({ contentType, scrape: pieces }: Exposition, response: ServerResponse) => {
  response.writeHead(200, { 'content-type': contentType });
  await pipeline(Readable.from(pieces()), response);
};

const answer = async (
  { service }: JudgeServerOptions,
  surfaces: readonly Surface[],
  maxBodyBytes: number,
  request: IncomingMessage,
  response: ServerResponse,
) => {
  const { method = '', url = '' } = request;
  const [path = '', query = ''] = url.split('?', 2);
  const body = await readBody(request, response, maxBodyBytes);
  if (body === undefined) return;
  const asked = { method, path, query: new URLSearchParams(query), body };
  try {
    send(response, (await firstAnswer(surfaces, asked, service)) ?? plainAnswer(path));
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    send(response, { status: 400, body: { error: error.message } });
  }
};

const firstAnswer = (
  surfaces: readonly Surface[],
  asked: Parameters<Surface>[0],
  service: JudgeService,
): ReturnType<Surface> => {
  for (const surface of surfaces) {
    const found = surface(asked, service);
    if (found !== undefined) return found;
  }
  return undefined;
};

const plainAnswer = (path: string): SurfaceAnswer => {
  // The judge is ready when it listens: without Prometheus it answers that it cannot know.
  if (path === '/healthz' || path === '/readyz') return { status: 200, body: 'ok\n' };
  const index = `Plumbline judge\n\n${paths.join('\n')}\n`;
  return path === '/'
    ? { status: 200, body: index }
    : { status: 404, body: `Not here.\n\n${paths.join('\n')}\n` };
};

const send = (response: ServerResponse, { status, body }: SurfaceAnswer) => {
  const isText = typeof body === 'string';
  response.writeHead(status, {
    'content-type': isText ? 'text/plain; charset=utf-8' : 'application/json',
    'cache-control': 'no-store',
  });
  response.end(isText ? body : `${JSON.stringify(body)}\n`);
};
