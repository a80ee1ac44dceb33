// A gRPC server on grpc-js, with TLS if key and cert are in the argument; messages are bytes. Prints its port. The method says what it shall do.
import { Server, ServerCredentials, status } from '@grpc/grpc-js';

const bytes = (message) => message;
const method = (name, requestStream, responseStream) => ({
  path: `/test.Echo/${name}`,
  requestStream,
  responseStream,
  requestSerialize: bytes,
  requestDeserialize: bytes,
  responseSerialize: bytes,
  responseDeserialize: bytes,
});

const [, , tls] = process.argv;
const credentialsOf = ({ key, cert }) =>
  ServerCredentials.createSsl(null, [{ private_key: Buffer.from(key), cert_chain: Buffer.from(cert) }]);
const credentials = tls === undefined ? ServerCredentials.createInsecure() : credentialsOf(JSON.parse(tls));

const server = new Server();
server.addService(
  {
    Echo: method('Echo', false, false),
    Fail: method('Fail', false, false),
    Tick: method('Tick', false, true),
    Chat: method('Chat', true, true),
  },
  {
    Echo: (call, callback) => callback(null, call.request),
    Fail: (_call, callback) => callback({ code: status.NOT_FOUND, details: 'none' }),
    Tick: (call) => {
      let left = 3;
      const timer = setInterval(() => {
        call.write(call.request);
        if (--left > 0) return;
        clearInterval(timer);
        call.end();
      }, 50);
    },
    Chat: (call) => {
      call.on('data', (message) => call.write(message));
      call.on('end', () => call.end());
    },
  },
);
server.bindAsync('127.0.0.1:0', credentials, (error, port) => {
  if (error) throw error;
  process.stdout.write(`${port}\n`);
});
