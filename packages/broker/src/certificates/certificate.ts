import { DerError, type DerValue, derValue, derValues, oidText, stringText } from './der.js';
import { commonNames, distinguishedName } from './distinguished-name.js';

/** The kinds of subject alternative names, as RabbitMQ's configuration calls them. */
export const ALTERNATIVE_NAME_TYPES = ['dns', 'ip', 'email', 'uri', 'other_name'] as const;

export type AlternativeNameType = (typeof ALTERNATIVE_NAME_TYPES)[number];

/** What a certificate says of itself; texts are wire strings. */
export interface Certificate {
  /** Its distinguished name, as RFC 4514 writes it: `CN=client,O=acme`. */
  readonly subject: string;
  /** That of the authority. */
  readonly issuer: string;
  /** From when to when it is good: `2026-01-01T00:00:00Z - 2027-01-01T00:00:00Z`. */
  readonly validity: string;
  readonly commonNames: readonly string[];
  /** Of a type that is not known here none are listed. */
  readonly alternativeNames: readonly AlternativeName[];
}

export interface AlternativeName {
  readonly type: AlternativeNameType;
  readonly value: string;
}

/**
 * Reads a certificate (RFC 5280 §4.1) in DER. Node.js has its names too, but as text in which a
 * name cannot be told from two. Throws a DerError.
 *
 *     Certificate = SEQUENCE { tbs, ... }
 *     tbs = SEQUENCE { [0] version?, serial, algorithm, issuer, validity, subject, key,
 *                      ..., [3] extensions? }
 */
export function readCertificate(octets: Buffer): Certificate {
  const [tbs] = derValues(derValue(octets).content);
  const fields = derValues(required(tbs).content);
  if (fields[0]?.tag === VERSION) fields.shift();
  const [, , issuer, validity, subject, , ...optional] = fields;
  const extensions = optional.find(({ tag }) => tag === EXTENSIONS);
  const name = required(subject).content;
  return {
    subject: distinguishedName(name),
    issuer: distinguishedName(required(issuer).content),
    validity: derValues(required(validity).content).map(timeText).join(' - '),
    commonNames: commonNames(name),
    alternativeNames: extensions === undefined ? [] : alternativeNames(extensions.content),
  };
}

/** Tags that depend on the place: `[0]`, and made of others. */
const VERSION = 0xa0;
const EXTENSIONS = 0xa3;
const OCTET_STRING = 4;
const UTC_TIME = 23;

const SUBJECT_ALTERNATIVE_NAME = '2.5.29.17';

/** Each is `SEQUENCE { identifier, critical?, OCTET STRING }`. */
function alternativeNames(extensions: Buffer): AlternativeName[] {
  for (const { content } of derValues(derValue(extensions).content)) {
    const [type, ...rest] = derValues(content);
    if (oidText(required(type).content) !== SUBJECT_ALTERNATIVE_NAME) continue;
    const wrapped = required(rest.find(({ tag }) => tag === OCTET_STRING));
    return derValues(derValue(wrapped.content).content).flatMap(alternativeName);
  }
  return [];
}

function alternativeName({ tag, content }: DerValue): AlternativeName[] {
  switch (tag) {
    case 0xa0: {
      // SEQUENCE { identifier, [0] the value itself }
      const wrapped = required(derValues(content)[1]);
      const value = stringText(derValue(wrapped.content));
      return [{ type: 'other_name', value: value ?? '' }];
    }
    case 0x81:
      return [{ type: 'email', value: content.toString('latin1') }];
    case 0x82:
      return [{ type: 'dns', value: content.toString('latin1') }];
    case 0x86:
      return [{ type: 'uri', value: content.toString('latin1') }];
    case 0x87:
      return [{ type: 'ip', value: addressText(content) }];
    default:
      return [];
  }
}

function addressText(octets: Buffer): string {
  if (octets.length === 4) return octets.join('.');
  if (octets.length !== 16) throw new DerError('an address of neither kind');
  const address = octets.toString('hex').replace(/....(?=.)/g, '$&:');
  // The usual short form: `fe80::1`.
  return new URL(`tls://[${address}]`).hostname.slice(1, -1);
}

/** `YYMMDDhhmmssZ`, or with the year in full. */
function timeText({ tag, content }: DerValue): string {
  const digits = `${tag === UTC_TIME ? '20' : ''}${content.toString('latin1')}`;
  const [, date, time] = /^(\d{8})(\d{6})Z$/.exec(digits) ?? [];
  if (date === undefined || time === undefined) throw new DerError('no time');
  const [year, rest] = [date.slice(0, 4), date.slice(4)];
  const pairs = (text: string): string[] => text.match(/../g) ?? [];
  return `${[year, ...pairs(rest)].join('-')}T${pairs(time).join(':')}Z`;
}

function required(value: DerValue | undefined): DerValue {
  if (value === undefined) throw new DerError('something is missing');
  return value;
}
