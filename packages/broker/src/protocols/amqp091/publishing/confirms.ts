/** An answer to one publish, or to all up to its tag that have not been answered before. */
export interface ConfirmDue {
  readonly method: 'basic.ack' | 'basic.nack';
  readonly deliveryTag: number;
  readonly multiple: boolean;
}

/**
 * Publisher confirms of a channel (RabbitMQ's extension): publishes are numbered from 1, and
 * answered cumulatively, one basic.ack for everything that is done by the end of a turn. A confirm
 * never passes a publish before it that is not yet on the disk. What a queue has refused is
 * answered by a basic.nack of its own, which waits for nothing, and goes before any ack that passes
 * it.
 */
export class Confirms {
  isEnabled = false;
  /** Number of the publish that came last. */
  #published = 0;
  /** Publishes up to this one have been answered. */
  #answered = 0;
  /** Publishes up to `published` may be answered once the disk has `operation`. */
  readonly #waiting: { readonly published: number; readonly operation: number }[] = [];
  /** Up to where the last one in `#waiting` reaches. */
  #noted = 0;

  /** Publishes not answered yet that were refused, in order. */
  #refused: number[] = [];
  /** Publishes above `#answered` that have been answered with a nack, in order. */
  #nacked: number[] = [];

  /** Numbers a publish. */
  published(): void {
    this.#published++;
  }

  /** Notes that what was published so far needs the disk to have got to `operation`. */
  waitFor(operation: number): void {
    if (this.#noted === this.#published) return;
    this.#noted = this.#published;
    this.#waiting.push({ published: this.#published, operation });
  }

  /** The publish that came last was refused by at least one of its queues. */
  refused(): void {
    if (this.isEnabled) this.#refused.push(this.#published);
  }

  /**
   * What can be answered now that the disk has got to `durable`, in order. What it returns counts
   * as answered.
   */
  take(durable: number): readonly ConfirmDue[] {
    const upTo = this.#coveredBy(durable);
    const due: ConfirmDue[] = [];
    if (this.#refused.length > 0) {
      for (const deliveryTag of this.#refused) {
        if (deliveryTag <= upTo) this.#acknowledge(deliveryTag - 1, due);
        due.push({ method: 'basic.nack', deliveryTag, multiple: false });
        this.#nacked.push(deliveryTag);
      }
      this.#refused = [];
    }
    this.#acknowledge(upTo, due);
    return due;
  }

  /** Acknowledges up to a publish what has not been answered. */
  #acknowledge(upTo: number, due: ConfirmDue[]): void {
    if (upTo <= this.#answered) return;
    const nacked = this.#nacked;
    let passed = 0;
    while (passed < nacked.length && nacked[passed]! <= upTo) passed++;
    // The last ones may have been answered already, and then are not acknowledged too.
    let deliveryTag = upTo;
    let before = passed;
    for (; before > 0 && nacked[before - 1] === deliveryTag; before--) deliveryTag--;
    const count = deliveryTag - this.#answered - before;
    if (count > 0) due.push({ method: 'basic.ack', deliveryTag, multiple: count > 1 });
    if (passed > 0) nacked.splice(0, passed);
    this.#answered = upTo;
  }

  /** The last publish that is done, with all before it, when the disk has got to `durable`. */
  #coveredBy(durable: number): number {
    let upTo = this.#answered;
    let done = 0;
    for (const { published, operation } of this.#waiting) {
      if (operation > durable) break;
      upTo = published;
      done++;
    }
    if (done > 0) this.#waiting.splice(0, done);
    return upTo;
  }
}
