// Builds what Grafana loads into dist/; with an error's text and status 1 when it cannot.
import { rspack } from '@rspack/core';
import { plugin } from '../.config/webpack/webpack.config.ts';

rspack([plugin], (error, stats) => {
  if (error ?? stats?.hasErrors()) {
    process.stderr.write(`${error?.stack ?? stats?.toString({ preset: 'errors-only' }) ?? ''}\n`);
    process.exitCode = 1;
  } else {
    process.stdout.write(`${stats?.toString({ preset: 'errors-warnings', assets: true }) ?? ''}\n`);
  }
});
