import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

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

  constructor(t: TestContext, name = 'test authority') {
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
    const keyFile = this.#path(`${name}.key`);
    const certFile = this.#path(`${name}.pem`);
    const request = this.#path(`${name}.csr`);
    const extensions = this.#path(`${name}.ext`);
    openssl('req', ...newKey(), '-keyout', keyFile, '-out', request, '-subj', `/CN=${name}`);
    writeFileSync(extensions, alternatives === undefined ? '' : `subjectAltName=${alternatives}\n`);
    const signed = ['-CA', this.certFile, '-CAkey', this.#keyFile, '-CAcreateserial'];
    const files = ['-in', request, '-out', certFile, '-extfile', extensions];
    openssl('x509', '-req', ...files, ...signed, '-days', '2');
    const [key, cert] = [readFileSync(keyFile, 'utf8'), readFileSync(certFile, 'utf8')];
    return { keyFile, certFile, key, cert };
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
