// In: cgroup paths, and containers as the Docker API lists them; out: container ids, and workloads.
import { z } from 'zod';
import type { DockerConfig } from './schema.ts';
import type { Workload } from './workload.ts';

/** A container of `GET /containers/json`, of which only the id is certain. */
export const containerSchema = z.object({
  Id: z.string().regex(/^[0-9a-f]{64}$/),
  Names: z.array(z.string()).nullish(),
  Image: z.string().nullish(),
  ImageID: z.string().nullish(),
  Labels: z.record(z.string(), z.string()).nullish(),
});
export type Container = z.output<typeof containerSchema>;

/**
 * Returns the id of the container whose own cgroup is exactly this: `/docker/ID` or under a parent of the user's
 * choice (cgroupfs driver), `docker-ID.scope` (systemd driver).
 */
export const containerIdOf = (path: string): string | undefined =>
  /\/(?:docker-([0-9a-f]{64})\.scope|([0-9a-f]{64}))$/.exec(path)?.slice(1).find(Boolean);

/** Names a container by the first of these labels that it has, the configured ones first. */
export const workloadOfContainer = (container: Container, labels: DockerConfig['labels']): Workload => {
  const first = (...names: readonly string[]): string | undefined =>
    names.map((name) => tidy(container.Labels?.[name])).find((value) => value !== '');
  return {
    namespace: first(...labels.namespace, 'plumbline.namespace', 'com.docker.compose.project') ?? 'docker',
    app:
      first(...labels.app, 'plumbline.app', 'app.kubernetes.io/name', 'com.docker.compose.service') ??
      (nameOf(container) || container.Id.slice(0, 12)),
    version:
      first(
        ...labels.version,
        'plumbline.version',
        'app.kubernetes.io/version',
        'version',
        'org.opencontainers.image.version',
      ) ??
      (tagOf(container) || 'unknown'),
  };
};

// A label may hold megabytes, and each series would carry it.
const longestLabel = 128;

const tidy = (value: string | null | undefined): string => (value ?? '').trim().slice(0, longestLabel);

// With --link a container is also listed as `/other/alias`.
const nameOf = ({ Names }: Container): string =>
  tidy(Names?.find((name) => /^\/[^/]+$/.test(name))?.slice(1));

// `host:5000/repository/name:tag@sha256:digest`; Docker lists a bare id where the tag has moved to another image.
const tagOf = ({ Image, ImageID }: Container): string => {
  const image = tidy(Image);
  const [reference = '', digest] = image.split('@');
  const tag = /:([^/:]+)$/.exec(reference)?.[1];
  const isId =
    image !== '' && (ImageID ?? '').replace('sha256:', '').startsWith(image.replace('sha256:', ''));
  if (isId) return image.replace('sha256:', '').slice(0, 12);
  return tag ?? digest?.replace('sha256:', '').slice(0, 12) ?? (image === '' ? '' : 'latest');
};
