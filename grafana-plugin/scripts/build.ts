// Builds what Grafana loads into dist/, and with --host the page that tests load it into; status 1 when it cannot.
import { rspack } from '@rspack/core';
import { host, plugin } from '../.config/webpack/webpack.config.ts';

const configurations = process.argv.includes('--host') ? [plugin, host] : [plugin];
rspack(configurations, (error, stats) => {
  if (error ?? stats?.hasErrors()) {
    process.stderr.write(`${error?.stack ?? stats?.toString({ preset: 'errors-only' }) ?? ''}\n`);
    process.exitCode = 1;
  } else {
    process.stdout.write(`${stats?.toString({ preset: 'errors-warnings', assets: true }) ?? ''}\n`);
  }
});
