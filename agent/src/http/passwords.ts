// In: a user, a password, and the address that they come from. Out: whether they are right, at a cost that no guessing raises.
import bcrypt from 'bcryptjs';
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

/** `later`: not compared, since too much waits for that already; worth asking again. */
export type PasswordAnswer = 'right' | 'wrong' | 'later';

export type PasswordCheck = (user: string, password: string, address: string) => Promise<PasswordAnswer>;

/** How long whoever is told `later` has been kept waiting: a connection gets one such answer in that time. */
export const laterSeconds = 1;
/** After a wrong password nothing is compared for so many times as long as it took: guesses get a tenth of a core. */
const rest = 9;
/** So many addresses may have a password compared, or waiting for it: one each. */
const mostAddresses = 16;

/**
 * Takes the bcrypt hash of each user. bcrypt takes a tenth of a second by design: passwords are compared one at a time, and
 * what was right once is remembered, so that it waits for no guess.
 */
export const createPasswordCheck = (hashByUser: Readonly<Record<string, string>>): PasswordCheck => {
  const right = new Set<string>();
  const comparing = new Map<string, Promise<void>>();
  const addresses = new Set<string>();
  // Compared with when the user is not known, so that the time taken does not tell whether a user is.
  const [anyHash = ''] = Object.values(hashByUser);
  let last: Promise<unknown> = Promise.resolve();
  let restUntilMs = 0;

  const compare = async (user: string, password: string, key: string): Promise<void> => {
    await sleep(restUntilMs - performance.now(), undefined, { ref: false });
    const startMs = performance.now();
    const hash = Object.hasOwn(hashByUser, user) ? hashByUser[user] : undefined;
    const isSame = await bcrypt.compare(password, hash ?? anyHash);
    if (isSame && hash !== undefined) right.add(key);
    else restUntilMs = startMs + (1 + rest) * (performance.now() - startMs);
  };

  const compareInTurn = (user: string, password: string, key: string, address: string): Promise<void> => {
    const compared = last
      .then(() => compare(user, password, key))
      .finally(() => {
        comparing.delete(key);
        addresses.delete(address);
      });
    comparing.set(key, compared);
    addresses.add(address);
    last = compared.catch(() => undefined);
    return compared;
  };

  return async (user, password, address) => {
    const key = createHash('sha256')
      .update(JSON.stringify([user, password]))
      .digest('base64');
    if (right.has(key)) return 'right';
    const isCompared = comparing.has(key) || (!addresses.has(address) && addresses.size < mostAddresses);
    if (isCompared) await (comparing.get(key) ?? compareInTurn(user, password, key, address));
    else await sleep(laterSeconds * 1000, undefined, { ref: false });
    if (right.has(key)) return 'right';
    return isCompared ? 'wrong' : 'later';
  };
};
