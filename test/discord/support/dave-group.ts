/** The voice server's side of end-to-end encryption: proposes members, picks commits, runs transitions. */
import { ExternalSender, readCommitWelcome, u16, vector } from './mls';

/** What the group needs of a client's voice connection. */
export interface GroupMember {
  readonly userId: string;
  sendJson(op: number, data: unknown): void;
  sendBinary(op: number, payload: Buffer): void;
}

const EXTERNAL_SENDER = 25;
const PROPOSALS = 27;
const ANNOUNCE_COMMIT = 29;
const WELCOME = 30;
const [PREPARE_TRANSITION, EXECUTE_TRANSITION, PREPARE_EPOCH] = [21, 22, 24];
const APPEND = Buffer.of(0);

export class DaveGroup {
  private readonly sender = new ExternalSender();
  /** Of the group; before the first commit there is none. */
  private epoch = 0n;
  private readonly leaves: (GroupMember | undefined)[] = [];
  private readonly pending = new Map<GroupMember, Buffer>();
  /** Added by the proposals that no commit has taken up yet. */
  private proposed: GroupMember[] = [];
  private removed: number[] = [];
  private nextTransition = 1;
  private readonly awaited = new Map<number, Set<GroupMember>>();
  /** From proposals until everyone has followed the commit that takes them up. */
  private isProposing = false;
  private later: (() => void)[] = [];
  private readonly gone = new Set<GroupMember>();
  /** Whose commit of the proposals is awaited. */
  private readonly asked = new Set<GroupMember>();
  transitions = 0;
  /** Holds back what tells members to go on, for as long as a test wants. */
  delayMs = 0;

  constructor(private readonly groupId: bigint) {}

  /** Members of the group. */
  get size(): number {
    return this.members.length;
  }

  /** Nothing is proposed, and everyone has followed. */
  get isSettled(): boolean {
    return !this.isProposing && this.awaited.size === 0;
  }

  welcomeToServer(member: GroupMember): void {
    member.sendBinary(EXTERNAL_SENDER, this.sender.package);
  }

  onKeyPackage(member: GroupMember, keyPackage: Buffer): void {
    this.inTurn(() => this.admit(member, keyPackage));
  }

  private admit(member: GroupMember, keyPackage: Buffer): void {
    if (this.epoch === 0n) {
      const proposal = this.sender.add(this.groupId, 0n, keyPackage);
      for (const [other, theirs] of this.pending) {
        if (other === member) continue;
        this.propose([other], [proposal]);
        this.propose([member], [this.sender.add(this.groupId, 0n, theirs)]);
      }
      this.pending.set(member, keyPackage);
      return;
    }
    this.pending.set(member, keyPackage);
    this.proposed.push(member);
    this.propose(this.members, [this.sender.add(this.groupId, this.epoch, keyPackage)]);
  }

  onCommit(from: GroupMember, payload: Buffer): void {
    const { epoch, commit, welcome } = readCommitWelcome(payload);
    // The first commit of an epoch wins.
    if (epoch !== this.epoch) return;
    this.asked.clear();
    const before = this.members;
    if (this.epoch === 0n) {
      this.pending.delete(from);
      this.leaves.push(from);
      this.proposed = [...this.pending.keys()];
    }
    for (const leaf of this.removed) this.leaves[leaf] = undefined;
    for (const added of this.proposed) this.seat(added);
    const transition = this.nextTransition++;
    const stayed = before.length > 0 ? before.filter((member) => this.leaves.includes(member)) : [from];
    for (const member of stayed) member.sendBinary(ANNOUNCE_COMMIT, Buffer.concat([u16(transition), commit]));
    for (const added of this.proposed) {
      if (welcome) added.sendBinary(WELCOME, Buffer.concat([u16(transition), welcome]));
      this.pending.delete(added);
    }
    this.epoch += 1n;
    this.proposed = [];
    this.removed = [];
    this.awaited.set(transition, new Set(this.members.filter((member) => !this.gone.has(member))));
    this.executeWhenReady(transition);
  }

  onReady(member: GroupMember, transition: number): void {
    this.awaited.get(transition)?.delete(member);
    this.executeWhenReady(transition);
  }

  leave(member: GroupMember): void {
    this.gone.add(member);
    // Nobody waits for one that has gone.
    for (const [transition, awaited] of this.awaited) {
      awaited.delete(member);
      this.executeWhenReady(transition);
    }
    this.asked.delete(member);
    this.inTurn(() => this.release(member));
    const isAbandoned = this.asked.size === 0 && this.awaited.size === 0;
    if (!this.isProposing || !isAbandoned) return;
    this.isProposing = false;
    this.runLater();
  }

  private executeWhenReady(transition: number): void {
    if (this.awaited.get(transition)?.size !== 0) return;
    this.awaited.delete(transition);
    this.transitions++;
    this.isProposing = false;
    const { members } = this;
    setTimeout(() => {
      for (const each of members) each.sendJson(EXECUTE_TRANSITION, { transition_id: transition });
    }, this.delayMs);
    this.runLater();
  }

  /** While members work on proposals, new ones would be of an epoch that ends. */
  private inTurn(action: () => void): void {
    if (this.isProposing) this.later.push(action);
    else action();
  }

  private runLater(): void {
    while (!this.isProposing && this.later.length > 0) this.later.shift()?.();
  }

  private release(member: GroupMember): void {
    this.pending.delete(member);
    const leaf = this.leaves.indexOf(member);
    if (leaf < 0) return;
    const others = this.members.filter((other) => other !== member);
    const [sole] = others;
    if (others.length > 1) {
      this.removed.push(leaf);
      this.propose(others, [this.sender.remove(this.groupId, this.epoch, leaf)]);
      return;
    }
    this.epoch = 0n;
    this.leaves.length = 0;
    this.awaited.clear();
    this.isProposing = false;
    if (!sole) return;
    sole.sendJson(PREPARE_EPOCH, { protocol_version: 1, epoch: 1 });
    sole.sendJson(PREPARE_TRANSITION, { protocol_version: 1, transition_id: 0 });
  }

  private get members(): GroupMember[] {
    return this.leaves.filter((leaf) => leaf !== undefined);
  }

  /** The leftmost free leaf (RFC 9420 §7.7). */
  private seat(member: GroupMember): void {
    const free = this.leaves.indexOf(undefined);
    this.leaves[free < 0 ? this.leaves.length : free] = member;
  }

  private propose(to: readonly GroupMember[], proposals: readonly Buffer[]): void {
    this.isProposing = true;
    for (const member of to) {
      this.asked.add(member);
      member.sendBinary(PROPOSALS, Buffer.concat([APPEND, vector(Buffer.concat(proposals))]));
    }
  }
}
