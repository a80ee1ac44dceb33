// In: a service. Out: the judge's HTTP server: verdicts for Argo Rollouts, Flagger, Kayenta and people; gauges; health.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Logger } from 'pino';
import type { Exposition } from '../exposition/families.ts';
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

/** What may be in the works at a time, so that bodies that are sent slowly cannot fill the memory. */
interface Lane {
  readonly maxBodyBytes: number;
  readonly most: number;
  running: number;
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
  const usual: Lane = { maxBodyBytes: 65_536, most: 500, running: 0 };
  // Kayenta sends along some hundred series, of a day by the minute.
  const remote: Lane = { maxBodyBytes: 16e6, most: 8, running: 0 };
  const inLane = async (lane: Lane, request: IncomingMessage, response: ServerResponse) => {
    if (lane.running >= lane.most) {
      response
        .writeHead(503, { 'retry-after': '5', connection: 'close' })
        .end('Too many requests at a time.\n');
      return;
    }
    lane.running += 1;
    try {
      await answer(options, surfaces, lane, request, response);
    } finally {
      lane.running -= 1;
    }
  };
  return startListener({
    ...options,
    openPaths: ['/healthz', '/readyz'],
    handler: (request, response) => {
      if (request.url === '/metrics') return scrape(options.metrics, response);
      return inLane(request.url === '/judge' ? remote : usual, request, response);
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
  { maxBodyBytes }: Lane,
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
