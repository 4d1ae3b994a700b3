import type { Authority, Certificate } from './certificates.js';

/** A certificate whose names are not simple. */
export interface Subject {
  readonly what: string;
  /** What {@link Authority.signSubject} takes. */
  readonly subject: readonly string[];
  readonly extensions?: readonly string[];
  readonly strings?: string;
  /** RFC 4514's text of it, as RabbitMQ has it. */
  readonly distinguishedName: string;
  readonly commonName?: string;
}

const ASTRAL = '\u{1d11e}';

export const SUBJECTS: readonly Subject[] = [
  {
    what: 'one part',
    subject: ['CN=client'],
    distinguishedName: 'CN=client',
    commonName: 'client',
  },
  {
    what: 'the usual order',
    subject: ['C=DE', 'ST=Berlin', 'L=Mitte', 'O=acme', 'OU=ops', 'CN=client'],
    distinguishedName: 'CN=client,OU=ops,O=acme,L=Mitte,ST=Berlin,C=DE',
    commonName: 'client',
  },
  {
    what: 'another order, and parts of the same type',
    subject: ['CN=first', 'OU=a', 'O=acme', 'OU=b', 'CN=second'],
    distinguishedName: 'CN=second,OU=b,O=acme,OU=a,CN=first',
    commonName: 'first,second',
  },
  {
    what: 'no common name',
    subject: ['O=acme', 'DC=org', 'DC=example', 'UID=u1'],
    distinguishedName: 'UID=u1,DC=example,DC=org,O=acme',
  },
  {
    what: 'a part of two',
    subject: ['O=acme', 'OU=a', '+OU=b', 'CN=client', '+serialNumber=7'],
    distinguishedName: 'SERIALNUMBER=7+CN=client,OU=a+OU=b,O=acme',
    commonName: 'client',
  },
  {
    what: 'what has a meaning in a name',
    subject: ['O=acme\\, \\"Inc\\"', 'OU=<a>\\; b=c+d', 'CN=back\\\\slash'],
    distinguishedName: 'CN=back\\\\slash,OU=\\<a\\>\\; b=c\\+d,O=acme\\, \\"Inc\\"',
    commonName: 'back\\slash',
  },
  {
    what: 'spaces and a hash at the ends',
    subject: ['O=" acme "', 'OU="#1 # "', 'CN=" "'],
    distinguishedName: 'CN=\\ ,OU=\\#1 #\\ ,O=\\ acme\\ ',
    commonName: ' ',
  },
  {
    what: 'letters that are not ASCII',
    subject: ['O=Zoë', `CN=кли${ASTRAL}ент~`],
    distinguishedName:
      'CN=\\D0\\BA\\D0\\BB\\D0\\B8\\F0\\9D\\84\\9E\\D0\\B5\\D0\\BD\\D1\\82\\7E,O=Zo\\C3\\AB',
    commonName: `кли${ASTRAL}ент~`,
  },
  {
    what: 'letters of two octets each (BMPString)',
    subject: ['O=Zoë', 'CN=клиент'],
    strings: 'MASK:0x800',
    distinguishedName: 'CN=\\D0\\BA\\D0\\BB\\D0\\B8\\D0\\B5\\D0\\BD\\D1\\82,O=Zo\\C3\\AB',
    commonName: 'клиент',
  },
  {
    what: 'letters of four octets each (UniversalString)',
    subject: ['O=Zoë', `CN=a${ASTRAL}`],
    strings: 'MASK:0x100',
    distinguishedName: 'CN=a\\F0\\9D\\84\\9E,O=Zo\\C3\\AB',
    commonName: `a${ASTRAL}`,
  },
  {
    what: 'letters of one octet each (T61String)',
    subject: ['O=Zoë', 'CN=Jürgen'],
    strings: 'MASK:0x4',
    distinguishedName: 'CN=J\\C3\\BCrgen,O=Zo\\C3\\AB',
    commonName: 'Jürgen',
  },
  {
    what: 'every type that has a name, and some that have none',
    subject: [
      ...['SN=sur', 'GN=given', 'initials=in', 'generationQualifier=jr', 'title=ms', 'pseudonym=p'],
      ...['street=road', 'emailAddress=a@b.example', '1.2.3.4=huh', 'name=nn', 'CN=c'],
    ],
    distinguishedName:
      'CN=c,2.5.4.41=nn,1.2.3.4=huh,EMAILADDRESS=a@b.example,2.5.4.9=road,PSEUDONYM=p,TITLE=ms,' +
      'GENERATIONQUALIFIER=jr,INITIALS=in,GIVENNAME=given,SN=sur',
    commonName: 'c',
  },
];

/** Alternative names of every type, out of order. */
export const ALTERNATIVES: readonly string[] = [
  'subjectAltName=@names',
  '[names]',
  'DNS.1=one.example',
  'email.1=first@example.org',
  'IP.1=10.0.0.1',
  'otherName.1=1.3.6.1.4.1.311.20.2.3;UTF8:upn@example.org',
  'dirName.1=dn',
  'URI.1=spiffe://example.org/worker',
  'RID.1=1.2.3.4',
  'IP.2=fe80:0:0:0::1',
  'DNS.2=*.two.example',
  'email.2=second@example.org',
  'otherName.2=1.2.3.4;FORMAT:UTF8,UTF8:Zoë',
  '[dn]',
  'CN=elsewhere',
];

export function signed(
  authority: Authority,
  { subject, extensions, strings }: Subject,
): Certificate {
  return authority.signSubject(subject, extensions, strings);
}
