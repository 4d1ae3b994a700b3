/**
 * Wire strings.
 *
 * AMQP calls its strings UTF-8 but RabbitMQ passes on routing keys, headers and properties that are
 * not, byte for byte, and so must we. Text decoded as UTF-8 would lose those bytes. So everything
 * that comes off the wire as a short or long string is held as a *wire string*: a JavaScript string
 * with one character, U+0000 to U+00FF, for each byte (what Node calls latin1). For ASCII it is the
 * text itself, its length is its length on the wire, and comparing two of them compares their
 * bytes.
 *
 *     text  'Zoë'          wire string  'Zo\u00c3\u00ab'          bytes  5a 6f c3 ab
 *
 * Convert at the edges, where people or JSON meet it: `toWire` on the way in, `fromWire` on the way
 * out.
 */
import { isUtf8 as isUtf8Bytes } from 'node:buffer';

/** The wire string of a text: its UTF-8 bytes. A lone surrogate becomes U+FFFD. */
export function toWire(text: string): string {
  return isAscii(text) ? text : Buffer.from(text, 'utf8').toString('latin1');
}

/** The text of a wire string; bytes that are not UTF-8 become U+FFFD. */
export function fromWire(wire: string): string {
  return isAscii(wire) ? wire : Buffer.from(wire, 'latin1').toString('utf8');
}

/** Whether a wire string's bytes are valid UTF-8, as RabbitMQ demands of the names in methods. */
export function isUtf8(wire: string): boolean {
  return isAscii(wire) || isUtf8Bytes(Buffer.from(wire, 'latin1'));
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) > 0x7f) return false;
  }
  return true;
}
