import { Turn } from '../../base/turn.js';
import { type EventSink, type NewMessage, UNHEARD } from '../ports.js';

/** Told who has done what, for the log; the particulars are wire strings. */
export type Audited = (what: string, particulars: Readonly<Record<string, string>>) => void;

/** What a virtual host needs to tell the world what happens in it. */
export interface Reporting {
  readonly events: EventSink;
  readonly audited: Audited;
  /** The broker's name among others, as in `leveret@localhost`; a wire string. */
  readonly node: string;
  readonly turn: Turn;
  readonly newMessage: NewMessage;
  /** Told of a bug that showed itself while something was reported. */
  readonly broken: (error: unknown) => void;
}

/** Of a virtual host that keeps to itself. */
export function noReporting(): Reporting {
  return {
    events: UNHEARD,
    audited: () => {},
    node: '',
    turn: new Turn(),
    broken: (error) => {
      throw error;
    },
    newMessage: () => {
      throw new RangeError('there is nothing to make messages with');
    },
  };
}
