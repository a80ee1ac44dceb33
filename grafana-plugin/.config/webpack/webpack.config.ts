// What Grafana loads: dist/module.js as an AMD module, with everything that Grafana shares left outside. The layout
// and the list of shared modules are those of @grafana/create-plugin 7.1; Rspack reads the same configuration and
// compiles TypeScript itself, which saves a dozen packages.
import { rspack } from '@rspack/core';
import type { Configuration, RuleSetRule } from '@rspack/core';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const { version } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8')) as { version: string };
const { id } = JSON.parse(readFileSync(`${root}/src/plugin.json`, 'utf8')) as { id: string };

const fonts = dirname(
  createRequire(import.meta.url).resolve('@fontsource/inter/files/inter-latin-400-normal.woff2'),
);

/** How all bundles read TypeScript. */
export const typescript = {
  resolve: {
    extensions: ['.tsx', '.ts', '.js'],
    alias: { '@plumbline/verdict': `${root}/../verdict/src/index.ts` },
  },
  rule: {
    test: /\.tsx?$/,
    loader: 'builtin:swc-loader',
    options: {
      jsc: {
        target: 'es2022',
        parser: { syntax: 'typescript', tsx: true },
        transform: { react: { runtime: 'automatic' } },
      },
    },
  } satisfies RuleSetRule,
};

export const plugin: Configuration = {
  name: 'plugin',
  mode: 'production',
  context: `${root}/src`,
  entry: { module: './module.ts' },
  devtool: 'source-map',
  externals: [
    ...['react', 'react/jsx-runtime', 'react-dom', 'rxjs', 'lodash', 'moment', 'd3', 'i18next'],
    ...['@emotion/css', '@emotion/react', 'jquery', 'prismjs', 'slate', 'react-router'],
    /^@grafana\/(ui|runtime|data)/,
  ],
  module: { rules: [typescript.rule] },
  resolve: typescript.resolve,
  output: {
    clean: true,
    filename: '[name].js',
    library: { type: 'amd' },
    path: `${root}/dist`,
    publicPath: `public/plugins/${id}/`,
    uniqueName: id,
  },
  optimization: { splitChunks: false },
  plugins: [
    new rspack.CopyRspackPlugin({
      patterns: [
        {
          from: 'plugin.json',
          transform: (json: Buffer) =>
            json
              .toString()
              .replaceAll('%VERSION%', version)
              .replaceAll('%TODAY%', new Date().toISOString().slice(0, 10)),
        },
        { from: 'img', to: 'img' },
        { from: '../README.md' },
        { from: '../CHANGELOG.md' },
        { from: '../../LICENSE', to: 'LICENSE', toType: 'file' },
      ],
    }),
  ],
};

/** How both pages read what Grafana's packages are made of. */
const rules = [
  typescript.rule,
  { test: /\.css$/, type: 'css', parser: { url: false } },
  { test: /\.m?js$/, resolve: { fullySpecified: false } },
] satisfies RuleSetRule[];

const fewYears = 'moment-timezone-with-data-10-year-range.js';

/** The agent's own page: the same components, with all that Grafana would share in one file. */
export const page: Configuration = {
  name: 'page',
  mode: 'production',
  context: `${root}/page`,
  entry: { page: './main.tsx' },
  module: { rules },
  resolve: {
    ...typescript.resolve,
    // Of the rules of time zones, which are two thirds of the file, ten years are enough.
    alias: { ...typescript.resolve.alias, 'moment-timezone$': `moment-timezone/builds/${fewYears}` },
  },
  output: { clean: true, filename: '[name].js', path: `${root}/../agent/dist/page` },
  optimization: {
    splitChunks: false,
    minimizer: [
      new rspack.SwcJsMinimizerRspackPlugin({ extractComments: true }),
      new rspack.LightningCssMinimizerRspackPlugin(),
    ],
  },
  performance: false,
  plugins: [
    new rspack.CopyRspackPlugin({
      patterns: [
        { from: 'index.html' },
        { from: '../src/img/logo.svg' },
        ...[
          ['400', 'Regular'],
          ['500', 'Medium'],
        ].map(([weight, name]) => ({
          from: `${fonts}/inter-latin-${weight}-normal.woff2`,
          to: `fonts/inter/Inter-${name}.woff2`,
        })),
      ],
    }),
  ],
};

/** Grafana's packages in a page of our own, which loads the plugin for the tests and the bench. */
export const host: Configuration = {
  name: 'host',
  mode: 'production',
  context: `${root}/host`,
  entry: { host: './main.tsx' },
  // Grafana's packages look for AMD; ours is the one of SystemJS.
  amd: {},
  module: { rules },
  resolve: typescript.resolve,
  output: { clean: true, filename: '[name].js', path: `${root}/host/dist`, publicPath: '/host/' },
  // It is never shipped: a second saved on each build is worth more than its size.
  optimization: { splitChunks: false, minimize: false },
  performance: false,
};

export default plugin;
