// The nodes and arms of cells in; for each pair of them one member, the same object through the whole run, out.
import { text, wrong } from './checks.ts';
import { observationsOf } from './histogram.ts';
import type { Arm, Cell } from './types.ts';

/** One version on one node, with its cell in the window that is being added. */
export interface Member {
  readonly node: string;
  readonly arm: Arm;
  /** Counted from 0 in the order of first sight, so that what is known of members can be kept in arrays. */
  readonly number: number;
  /** The other judged version on the same node; `besideOf` says whether it is there in this window, too. */
  beside: Member | undefined;
  /** The window that it was last seen in. */
  window: number;
  cell: Cell;
  /** Observations in the durations of that cell. */
  size: number;
}

/** Everyone seen so far, by arm and node; and which window of the run this is. */
export interface Roster {
  readonly arms: Map<unknown, Map<unknown, Member>>;
  members: number;
  window: number;
}

/** Returns a roster of nobody. */
export function emptyRoster(): Roster {
  return { arms: new Map(), members: 0, window: 0 };
}

/** Begins a window, in which each member may come once. */
export function nextWindow(roster: Roster): void {
  roster.window += 1;
}

/**
 * Returns the member that a cell is about. A name that is known has been checked before.
 * @throws VerdictInputError for a wrong node or arm, or a second cell of one member in a window.
 */
export function memberOf(roster: Roster, node: unknown, arm: unknown): Member {
  const member = roster.arms.get(arm)?.get(node) ?? enrol(roster, text(node, 'node'), checkArm(arm));
  if (member.window === roster.window) {
    wrong('', 'the only cell of its node and arm', `${member.node}, ${member.arm}`);
  }
  member.window = roster.window;
  return member;
}

/** Returns the members of a window whose cells are known to be right. */
export function membersOf(roster: Roster, cells: readonly Cell[]): readonly Member[] {
  nextWindow(roster);
  return cells.map((cell) => {
    const member = memberOf(roster, cell.node, cell.arm);
    member.cell = cell;
    member.size = cell.durations ? observationsOf(cell.durations) : 0;
    return member;
  });
}

/** The other judged version on a member's node, if it has a cell in the same window. */
export function besideOf({ beside, window }: Member): Member | undefined {
  return beside?.window === window ? beside : undefined;
}

function enrol(roster: Roster, node: string, arm: Arm): Member {
  const beside = arm === 'canary' ? 'baseline' : arm === 'baseline' ? 'canary' : undefined;
  const member: Member = {
    node,
    arm,
    number: roster.members++,
    beside: roster.arms.get(beside)?.get(node),
    window: 0,
    cell: { node, arm, requests: 0, errors: 0 },
    size: 0,
  };
  if (member.beside) member.beside.beside = member;
  let nodes = roster.arms.get(arm);
  if (!nodes) roster.arms.set(arm, (nodes = new Map<unknown, Member>()));
  nodes.set(node, member);
  return member;
}

function checkArm(arm: unknown): Arm {
  if (arm === 'canary' || arm === 'baseline' || isOther(arm)) return arm;
  return wrong('arm', 'a known arm', arm);
}

function isOther(arm: unknown): arm is `other:${string}` {
  return typeof arm === 'string' && arm.startsWith('other:') && arm.length > 6;
}
