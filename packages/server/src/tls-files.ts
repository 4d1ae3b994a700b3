import { readFileSync, unwatchFile, watchFile } from 'node:fs';
import type { Logger, TlsCredentials, TlsOptions } from '@leveret/broker';
import type { ServerOptions } from './options.js';
import { isSystemError, StartError } from './start-error.js';

/** How often it is looked whether a file has changed, in milliseconds. */
const LOOK_MILLISECONDS = 2_000;

/** The files that TLS is served with, as they are and as they will be: certificates run out. */
export class TlsFiles {
  readonly #cert: string;
  readonly #key: string;
  readonly #ca: string | undefined;
  readonly #crl: string | undefined;
  readonly options: TlsOptions;

  private constructor(cert: string, key: string, options: ServerOptions) {
    this.#cert = cert;
    this.#key = key;
    this.#ca = options.tlsCa;
    this.#crl = options.tlsCrl;
    const clients = options.tlsClients ?? (options.tlsCa === undefined ? 'none' : 'require');
    const { tlsPort: port, tlsMinVersion: minVersion } = options;
    this.options = { ...this.#read(), port, minVersion, clientCertificates: clients };
  }

  /** Undefined if TLS is not asked for. Throws a StartError if a file cannot be read. */
  static of(options: ServerOptions): TlsFiles | undefined {
    const { tlsCert, tlsKey } = options;
    if (tlsCert === undefined || tlsKey === undefined) return undefined;
    return new TlsFiles(tlsCert, tlsKey, options);
  }

  /**
   * Calls `renew` when a file has changed. What it throws is logged, and nothing else happens: of a
   * pair of files one is always written first. Returns how to end it.
   */
  watch(logger: Logger, renew: (credentials: TlsCredentials) => void): () => void {
    const files = [this.#cert, this.#key, this.#ca, this.#crl].filter((file) => file !== undefined);
    const changed = (): void => {
      try {
        renew(this.#read());
        logger.info('the certificate has been renewed, for connections from now on');
      } catch (error) {
        logger.warn('the certificate has not been renewed: the files do not go together', {
          error,
        });
      }
    };
    for (const file of files) watchFile(file, { interval: LOOK_MILLISECONDS }, changed);
    return () => {
      for (const file of files) unwatchFile(file, changed);
    };
  }

  #read(): TlsCredentials {
    return {
      cert: readPem(this.#cert),
      key: readPem(this.#key),
      ...(this.#ca === undefined ? {} : { ca: readPem(this.#ca) }),
      ...(this.#crl === undefined ? {} : { crl: readPem(this.#crl) }),
    };
  }
}

function readPem(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw new StartError(`cannot read ${file}: ${error.code}`);
  }
}
