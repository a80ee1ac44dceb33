// In: what is about to run, `demo` or `test`. Out: a machine that can run it; or what to install, and exit 1.
// Plain JavaScript without a dependency: on a fresh clone it runs before anything is installed.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';

/** Debian packages by purpose, each with the command that shows that it is there, or several of which one does. */
const packages = {
  demo: { bpftrace: 'bpftrace', 'util-linux': 'taskset' },
  test: {
    bpftrace: 'bpftrace',
    'util-linux': 'taskset',
    procps: 'pgrep',
    bpftool: 'bpftool',
    wrk: 'wrk',
    prometheus: 'promtool',
    'nginx-light': 'nginx',
    'nghttp2-client': 'h2load',
    curl: 'curl',
    python3: 'python3',
    openssl: 'openssl',
    'docker.io': 'dockerd',
    'docker-compose': 'docker-compose',
    'docker-cli': 'docker', // in docker.io itself up to Debian 12
    'busybox-static': 'busybox',
    chromium: 'chromium|chromium-browser|google-chrome',
  },
  image: {
    'docker.io': 'dockerd',
    'docker-cli': 'docker',
    'busybox-static': 'busybox',
    debootstrap: 'debootstrap',
  },
};
const stampFile = 'node_modules/.plumbline-setup';
const policyFile = '/usr/sbin/policy-rc.d';

const purpose = process.argv[2] ?? '';
const needed =
  packages[purpose] ?? stop(`Expected one of ${Object.keys(packages).join(', ')}, got "${purpose}".`);
process.chdir(new URL('..', import.meta.url).pathname);

try {
  checkNode();
  checkPlatform();
  installDebianPackages();
  installNpmPackages();
  step('building the agent', 'npm', ['run', '--silent', 'build']);
} catch (error) {
  stop(error.message);
}

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    stop(`Node ${process.versions.node} is too old. Remedy: install Node 20.19 or newer.`);
  }
}

function checkPlatform() {
  if (process.platform !== 'linux')
    stop('Plumbline measures through the Linux kernel: it runs on Linux only.');
  if (process.getuid?.() !== 0) {
    stop(`Loading BPF programs and making cgroups takes root. Remedy: sudo npm run ${purpose}`);
  }
}

function installDebianPackages() {
  const missing = missingPackages();
  if (missing.length === 0) return;
  if (!hasCommand('apt-get')) {
    stop(
      `Missing commands: ${commandsOf(missing)}. Remedy: install them (on Debian they are in: ${missing.join(' ')}).`,
    );
  }
  // Servers are wanted for the tests alone: no system service shall start because of us.
  const isPolicyOurs = !existsSync(policyFile);
  if (isPolicyOurs) writeFileSync(policyFile, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    step('updating the list of Debian packages', 'apt-get', ['update', '-qq']);
    const known = missing.filter(isKnownToApt);
    const flags = ['install', '-qq', '-y', '--no-install-recommends'];
    if (known.length > 0) step(`installing ${known.join(' ')}`, 'apt-get', [...flags, ...known]);
  } finally {
    if (isPolicyOurs) rmSync(policyFile);
  }
  const left = missingPackages();
  if (left.length > 0)
    stop(
      `Missing commands: ${commandsOf(left)}. apt has no package of this release for them (Debian: ${left.join(' ')}). ` +
        'Remedy: install them otherwise, into a folder of PATH; a browser may also be named in CHROMIUM.',
    );
}

function missingPackages() {
  return Object.keys(needed).filter(
    (name) =>
      !needed[name].split('|').some(hasCommand) &&
      !(name === 'chromium' && process.env.CHROMIUM !== undefined),
  );
}

function commandsOf(names) {
  return names.map((name) => needed[name].replaceAll('|', ' or ')).join(', ');
}

function installNpmPackages() {
  const hash = createHash('sha256').update(readFileSync('package-lock.json')).digest('hex');
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === hash) return;
  step('installing npm packages', 'npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
  mkdirSync('node_modules', { recursive: true });
  writeFileSync(stampFile, hash);
}

/** Runs a command quietly; its output is shown when it fails. */
function step(what, command, args) {
  process.stderr.write(`setup: ${what} …\n`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const { status, stdout, stderr, error } = spawnSync(command, args, { env, encoding: 'utf8' });
  if (status === 0) return;
  throw new Error(`${what} failed.\n${stdout ?? ''}${stderr ?? ''}${error?.message ?? ''}`);
}

/** Releases pack differently: what this one has no package for comes with another package. */
function isKnownToApt(name) {
  return spawnSync('apt-cache', ['show', name], { stdio: 'ignore' }).status === 0;
}

function hasCommand(command) {
  const folders = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];
  return [...folders, ...(process.env.PATH ?? '').split(':')].some((folder) =>
    existsSync(`${folder}/${command}`),
  );
}

function stop(message) {
  process.stderr.write(`setup: ${message}\n`);
  process.exit(1);
}
