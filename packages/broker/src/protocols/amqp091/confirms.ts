/** A cumulative confirm: everything up to a tag. */
export interface ConfirmDue {
  readonly deliveryTag: number;
  readonly multiple: boolean;
}

/**
 * Publisher confirms of a channel (RabbitMQ's extension): publishes are numbered from 1, and
 * answered cumulatively, one basic.ack for everything that is done by the end of a turn. A confirm
 * never passes a publish before it that is not yet on the disk.
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

  /**
   * What can be acknowledged now that the disk has got to `durable`; undefined if nothing can.
   * What it returns counts as answered.
   */
  take(durable: number): ConfirmDue | undefined {
    let upTo = this.#answered;
    let done = 0;
    for (const { published, operation } of this.#waiting) {
      if (operation > durable) break;
      upTo = published;
      done++;
    }
    if (done > 0) this.#waiting.splice(0, done);
    const due = upTo - this.#answered;
    if (due === 0) return undefined;
    this.#answered = upTo;
    return { deliveryTag: upTo, multiple: due > 1 };
  }
}
