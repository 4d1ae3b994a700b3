import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { fromWire, isUtf8 } from '@leveret/amqp';
import {
  type AlternativeNameType,
  type Certificate,
  readCertificate,
} from './certificates/certificate.js';
import { DerError } from './certificates/der.js';
import type { Unproved } from './core/ports.js';

/**
 * What in a client's certificate is the name of its user: `distinguished_name`, as RFC 4514 writes
 * it; `common_name`, several with commas between them; or an alternative name of one type, the
 * first unless `index` (from 0) says another.
 */
export type CertificateName =
  | 'distinguished_name'
  | 'common_name'
  | { readonly subjectAlternativeName: AlternativeNameType; readonly index?: number };

/**
 * Finds users by their certificates, for the option `externalUser`: who comes by TLS is offered
 * EXTERNAL and is the user whom the certificate names, if TLS believes it. Have TLS believe your
 * own authority alone (`ca`): Node.js knows many that sign for anybody.
 *
 * RabbitMQ has the plugin rabbitmq_auth_mechanism_ssl for it, which finds the same names, except
 * that an address is there its octets and not its text.
 */
export function certificateUser(
  from: CertificateName,
): (stream: Duplex) => string | Unproved | undefined {
  return (stream) => {
    // RabbitMQ offers EXTERNAL to who has no certificate, too: so the client learns what is wrong.
    if (!(stream instanceof TLSSocket)) return undefined;
    const certificate = peerCertificate(stream);
    if (certificate === undefined) {
      return { reason: 'connection peer presented no TLS (x.509) certificate' };
    }
    const name = nameIn(certificate, from);
    // Octets that are no text would be the same text for different certificates.
    if (!name || !isUtf8(name)) return { reason: 'no name found' };
    return fromWire(name);
  };
}

function nameIn(certificate: Certificate, from: CertificateName): string | undefined {
  if (from === 'distinguished_name') return certificate.subject;
  if (from === 'common_name') return certificate.commonNames.join(',');
  const { subjectAlternativeName, index = 0 } = from;
  const ofType = certificate.alternativeNames.filter(({ type }) => type === subjectAlternativeName);
  return ofType[index]?.value;
}

/** The certificate that a peer has shown and TLS believes, if there is one that can be read. */
export function peerCertificate(stream: Duplex): Certificate | undefined {
  if (!(stream instanceof TLSSocket) || !stream.authorized) return undefined;
  const shown = stream.getPeerX509Certificate();
  if (shown === undefined) return undefined;
  try {
    return readCertificate(shown.raw);
  } catch (error) {
    if (error instanceof DerError) return undefined;
    throw error;
  }
}
