import * as amqplib from 'amqplib';
import type { Authority, Certificate } from './certificates.js';

/** Connects by EXTERNAL, with a certificate or without one. */
export function loginExternal(
  port: number,
  authority: Authority,
  certificate?: Certificate,
): Promise<amqplib.ChannelModel> {
  const { key, cert } = certificate ?? {};
  return amqplib.connect(
    { protocol: 'amqps', hostname: '127.0.0.1', port },
    {
      ca: [authority.cert],
      ...(certificate && { key, cert }),
      credentials: amqplib.credentials.external(),
    },
  );
}
