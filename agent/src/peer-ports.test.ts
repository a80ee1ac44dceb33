import { expect, test } from 'vitest';
import { peerPortLabel, peerPortsFragment } from './peer-ports.ts';

test('a port that is listed stays, and every other one becomes the same', () => {
  expect(peerPortsFragment([5432, 6379])).toBe(
    'if ($peer != 5432 && $peer != 6379) {\n  $peer = (uint64)1;\n}',
  );
  expect(peerPortsFragment([])).toBe('$peer = (uint64)1;');
});

test.each([
  [5432, '5432'],
  [1, 'other'],
  [0, ''],
])('what the probe counts as peer %i has the label "%s"', (peer, label) => {
  expect(peerPortLabel(peer)).toBe(label);
});
