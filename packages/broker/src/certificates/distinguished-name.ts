import { DerError, type DerValue, derValues, oidText, stringText } from './der.js';

/** An attribute of a name: `CN=client`. */
interface Attribute {
  /** An object identifier. */
  readonly type: string;
  readonly value: DerValue;
}

const COMMON_NAME = '2.5.4.3';

/** The types that RabbitMQ knows by name. Others are written as their identifiers. */
const TYPE_NAMES: ReadonlyMap<string, string> = new Map([
  [COMMON_NAME, 'CN'],
  ['2.5.4.4', 'SN'],
  ['2.5.4.5', 'SERIALNUMBER'],
  ['2.5.4.6', 'C'],
  ['2.5.4.7', 'L'],
  ['2.5.4.8', 'ST'],
  ['2.5.4.10', 'O'],
  ['2.5.4.11', 'OU'],
  ['2.5.4.12', 'TITLE'],
  ['2.5.4.42', 'GIVENNAME'],
  ['2.5.4.43', 'INITIALS'],
  ['2.5.4.44', 'GENERATIONQUALIFIER'],
  ['2.5.4.65', 'PSEUDONYM'],
  ['0.9.2342.19200300.100.1.1', 'UID'],
  ['0.9.2342.19200300.100.1.25', 'DC'],
  ['1.2.840.113549.1.9.1', 'EMAILADDRESS'],
]);

/**
 * A name (X.501) as RFC 4514 writes it, letter by letter as RabbitMQ does: the last part first,
 * `CN=client,O=acme`, and whatever is not printable ASCII by its octets in UTF-8. Takes what is in
 * the sequence. Throws a DerError.
 */
export function distinguishedName(name: Buffer): string {
  return partsOf(name)
    .map((part) => part.map(attributeText).join('+'))
    .reverse()
    .join(',');
}

/** The common names in a name, in order: wire strings. Throws a DerError. */
export function commonNames(name: Buffer): string[] {
  return partsOf(name)
    .flat()
    .filter(({ type }) => type === COMMON_NAME)
    .map(({ value }) => stringText(value))
    .filter((text) => text !== undefined);
}

/** A sequence of sets, nearly always of one, of attributes. */
function partsOf(name: Buffer): Attribute[][] {
  return derValues(name).map((part) => derValues(part.content).map(attributeOf));
}

function attributeOf({ content }: DerValue): Attribute {
  const [type, value] = derValues(content);
  if (type === undefined || value === undefined) throw new DerError('half an attribute');
  return { type: oidText(type.content), value };
}

function attributeText({ type, value }: Attribute): string {
  const text = stringText(value);
  // RFC 4514 §2.4: what is no string is shown as it is encoded.
  const shown =
    text === undefined ? `#${value.encoding.toString('hex').toUpperCase()}` : escaped(text);
  return `${TYPE_NAMES.get(type) ?? type}=${shown}`;
}

/** What has a meaning in a name gets a backslash, and what cannot be read is two digits. */
function escaped(text: string): string {
  return text
    .replace(/["+,;<>\\]/g, '\\$&')
    .replace(/(?<=.) $/s, '\\ ')
    .replace(/^[ #]/, '\\$&')
    .replace(
      /[^ -}]/g,
      (octet) => `\\${octet.charCodeAt(0).toString(16).padStart(2, '0').toUpperCase()}`,
    );
}
