/**
 * Publisher confirms of a channel (RabbitMQ's extension): publishes are numbered from 1, and
 * answered cumulatively, one basic.ack for everything that is done by the end of a turn.
 */
export class Confirms {
  isEnabled = false;
  /** Number of the publish that came last. */
  #published = 0;
  /** Publishes up to this one have been answered. */
  #answered = 0;

  /** Numbers a publish. */
  published(): void {
    this.#published++;
  }

  /**
   * The tag to acknowledge up to, and whether that covers several; undefined if nothing is due.
   * What it returns counts as answered.
   */
  take(): { readonly deliveryTag: number; readonly multiple: boolean } | undefined {
    const due = this.#published - this.#answered;
    if (due === 0) return undefined;
    this.#answered = this.#published;
    return { deliveryTag: this.#published, multiple: due > 1 };
  }
}
