import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A key and the certificate for it: names of files, and what is in them. */
export interface Certificate {
  readonly keyFile: string;
  readonly certFile: string;
  readonly key: string;
  readonly cert: string;
}

/** An authority of our own, which signs whatever a test asks for. Its files go with the test. */
export class Authority {
  readonly certFile: string;
  readonly cert: string;
  readonly #directory: string;
  readonly #keyFile: string;
  #signed = 0;

  constructor(t: { after(end: () => void): void }, name = 'test authority') {
    this.#directory = mkdtempSync(join(tmpdir(), 'leveret-tls-'));
    t.after(() => rmSync(this.#directory, { recursive: true }));
    this.#keyFile = this.#path('authority.key');
    this.certFile = this.#path('authority.pem');
    const subject = ['-subj', `/CN=${name}`, '-days', '2'];
    const files = ['-keyout', this.#keyFile, '-out', this.certFile];
    openssl('req', '-x509', ...newKey(), ...files, ...subject);
    this.cert = readFileSync(this.certFile, 'utf8');
  }

  /** A certificate for a name; for a server also the names and addresses it can be reached at. */
  sign(name: string, alternatives?: string): Certificate {
    const extensions = alternatives === undefined ? [] : [`subjectAltName=${alternatives}`];
    return this.signSubject([`CN=${name}`], extensions);
  }

  /**
   * A certificate for a whole name: a line for each part of it, as openssl's configuration has them
   * (`O=acme`; `+OU=b` belongs to the part before), and lines of extensions. `strings` says which
   * types of strings openssl may choose from.
   */
  signSubject(
    subject: readonly string[],
    extensions: readonly string[] = [],
    strings = 'utf8only',
  ): Certificate {
    const number = ++this.#signed;
    const file = (ending: string): string => this.#path(`${number}.${ending}`);
    const [keyFile, certFile, request] = [file('key'), file('pem'), file('csr')];
    const settings = ['prompt=no', 'utf8=yes', `string_mask=${strings}`];
    // A number in front keeps parts of the same type apart.
    const parts = subject.map((part, index) => `${index}.${part}`);
    const config = ['[req]', 'distinguished_name=dn', ...settings, '[dn]', ...parts, ''];
    writeFileSync(file('cnf'), config.join('\n'));
    writeFileSync(file('ext'), [...extensions, ''].join('\n'));
    openssl('req', ...newKey(), '-config', file('cnf'), '-keyout', keyFile, '-out', request);
    const signed = ['-CA', this.certFile, '-CAkey', this.#keyFile, '-CAcreateserial'];
    const files = ['-in', request, '-out', certFile, '-extfile', file('ext')];
    openssl('x509', '-req', ...files, ...signed, '-days', '2');
    const [key, cert] = [readFileSync(keyFile, 'utf8'), readFileSync(certFile, 'utf8')];
    return { keyFile, certFile, key, cert };
  }

  /** The list of what has been taken back: these certificates. PEM. */
  revocations(...revoked: readonly Certificate[]): string {
    const [database, config, list] = ['index.txt', 'ca.cnf', 'list.pem'].map((name) =>
      this.#path(name),
    ) as [string, string, string]; // one a name
    const settings = ['default_md=sha256', 'default_crl_days=2', `database=${database}`];
    writeFileSync(database, '');
    writeFileSync(config, ['[ca]', 'default_ca=ours', '[ours]', ...settings, ''].join('\n'));
    const ca = ['ca', '-config', config, '-cert', this.certFile, '-keyfile', this.#keyFile];
    for (const { certFile } of revoked) openssl(...ca, '-revoke', certFile);
    openssl(...ca, '-gencrl', '-out', list);
    return readFileSync(list, 'utf8');
  }

  /** A file that goes with the test, too; its path. */
  write(name: string, text: string): string {
    writeFileSync(this.#path(name), text);
    return this.#path(name);
  }

  #path(name: string): string {
    return join(this.#directory, name);
  }
}

function newKey(): string[] {
  return ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
}

function openssl(...args: string[]): void {
  execFileSync('openssl', args, { stdio: 'pipe' });
}
