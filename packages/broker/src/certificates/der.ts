import { toWire } from '@leveret/amqp';

/** Octets that are no DER, or another structure than they have to be. */
export class DerError extends Error {
  override readonly name = 'DerError';
}

/** One value of ASN.1 in DER (X.690 §8.1): `tag | length | content`. */
export interface DerValue {
  /** Class, whether it is made of others, and number, as the octet has them. */
  readonly tag: number;
  readonly content: Buffer;
  /** All of it: tag, length and content. */
  readonly encoding: Buffer;
}

/** The values that lie one behind the other, in a sequence or a set say. Throws a DerError. */
export function derValues(octets: Buffer): DerValue[] {
  const values: DerValue[] = [];
  for (let at = 0; at < octets.length; ) {
    const tag = octets[at]!;
    if ((tag & 0x1f) === 0x1f) throw new DerError('a tag of several octets');
    const [length, start] = lengthAt(octets, at + 1);
    if (length > octets.length - start) throw new DerError('a value that is cut short');
    const end = start + length;
    const content = octets.subarray(start, end);
    values.push({ tag, content, encoding: octets.subarray(at, end) });
    at = end;
  }
  return values;
}

/** The one value that there is. Throws a DerError if there is none, or more. */
export function derValue(octets: Buffer): DerValue {
  const [value, another] = derValues(octets);
  if (value === undefined || another !== undefined) throw new DerError('not one value');
  return value;
}

/** Up to 127 in one octet; else an octet that says how many follow with the length. */
function lengthAt(octets: Buffer, at: number): readonly [length: number, end: number] {
  const first = octets[at];
  if (first === undefined) throw new DerError('no length');
  if (first < 0x80) return [first, at + 1];
  const count = first - 0x80;
  if (count === 0 || count > 4 || at + 1 + count > octets.length) throw new DerError('bad length');
  return [octets.readUIntBE(at + 1, count), at + 1 + count];
}

/** Identifiers have some ten octets; a number of thousands would take its time. */
const OID_BYTES_MAX = 128;

/** An object identifier with dots: `2.5.4.3`. Throws a DerError. */
export function oidText(content: Buffer): string {
  if (content.length > OID_BYTES_MAX) throw new DerError('an identifier that is too long');
  const arcs: bigint[] = [];
  let arc = 0n;
  for (const octet of content) {
    arc = (arc << 7n) | BigInt(octet & 0x7f);
    if (octet >= 0x80) continue;
    arcs.push(arc);
    arc = 0n;
  }
  const [first, ...rest] = arcs;
  if (first === undefined || content.at(-1)! >= 0x80) throw new DerError('a broken identifier');
  const root = first < 80n ? first / 40n : 2n;
  return [root, first - 40n * root, ...rest].join('.');
}

/**
 * A character string of any kind as a wire string, so that two of them are the same only if they
 * have the same characters; undefined for a value that is none. T61String, which nobody ever wrote
 * as it was meant, is ISO 8859-1, as in RabbitMQ.
 */
export function stringText({
  tag,
  content,
}: Pick<DerValue, 'tag' | 'content'>): string | undefined {
  switch (tag) {
    case 12: // UTF8String
    case 18: // NumericString
    case 19: // PrintableString
    case 22: // IA5String
      return content.toString('latin1');
    case 20: // T61String
      return toWire(content.toString('latin1'));
    case 30: // BMPString
      return toWire(wideText(content, 2));
    case 28: // UniversalString
      return toWire(wideText(content, 4));
    default:
      return undefined;
  }
}

function wideText(content: Buffer, width: 2 | 4): string {
  if (content.length % width > 0) throw new DerError('half a character');
  let text = '';
  for (let at = 0; at < content.length; at += width) {
    const character = content.readUIntBE(at, width);
    if (character > 0x10_ffff) throw new DerError('a character that there is not');
    text += String.fromCodePoint(character);
  }
  if (/\p{Surrogate}/u.test(text)) throw new DerError('half a character');
  return text;
}
