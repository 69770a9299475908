/** Reads the body of a `multipart/form-data` request (RFC 7578, RFC 2046 §5.1). */

export interface FormPart {
  /** Undefined for a plain field. */
  readonly filename: string | undefined;
  /** Blank where the part names none. */
  readonly contentType: string;
  readonly data: Buffer;
}

/** The parts by their names. @param contentType of the request, boundary included */
export function parseMultipart(body: Buffer, contentType: string): ReadonlyMap<string, FormPart> {
  const [, quoted, bare] = /boundary=(?:"([^"]+)"|([^;\s]+))/.exec(contentType) ?? [];
  const boundary = quoted ?? bare;
  if (boundary === undefined) throw new Error(`no boundary in ${contentType}`);
  const parts = new Map<string, FormPart>();
  const delimiter = `\r\n--${boundary}`;
  // The first delimiter has no line before it.
  const whole = Buffer.concat([Buffer.from('\r\n'), body]);
  let at = whole.indexOf(delimiter);
  for (;;) {
    const start = at + delimiter.length;
    const end = whole.indexOf(delimiter, start);
    if (at < 0 || end < 0) throw new Error('the form ends without its last boundary');
    const headersEnd = whole.indexOf('\r\n\r\n', start);
    const headers = whole.toString('utf8', start, headersEnd);
    const name = /content-disposition: *form-data;.*\bname="([^"]*)"/i.exec(headers)?.[1];
    if (name === undefined) throw new Error(`a part without a name: ${headers}`);
    parts.set(name, {
      filename: /\bfilename="([^"]*)"/i.exec(headers)?.[1],
      contentType: /content-type: *(\S+)/i.exec(headers)?.[1] ?? '',
      data: whole.subarray(headersEnd + 4, end),
    });
    if (whole.toString('latin1', end + delimiter.length, end + delimiter.length + 2) === '--') return parts;
    at = end;
  }
}
