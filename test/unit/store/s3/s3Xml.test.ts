import { expect, test } from 'vitest';
import { escapeXml, parseListPage, textOf } from '../../../../src/store/s3/s3Xml.ts';

const page = (inside: string) =>
  `<?xml version="1.0"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${inside}</ListBucketResult>`;
const contents =
  '<Contents><Key>a+b%2Fc%2B%26</Key><LastModified>2026-01-02T03:04:05.678Z</LastModified><ETag>&#34;t&quot;</ETag><Size>7</Size></Contents>';

test('a page of a listing', () => {
  const text = `<IsTruncated>true</IsTruncated><NextContinuationToken>a&amp;b</NextContinuationToken>${contents}`;
  expect(parseListPage(page(text))).toEqual({
    objects: [{ key: 'a b/c+&', size: 7, etag: '"t"', modified: Date.parse('2026-01-02T03:04:05.678Z') }],
    next: 'a&b',
  });
});

test.each([
  ['cut short', page(`<IsTruncated>false</IsTruncated>${contents}`).slice(0, -10)],
  ['without its end', page(contents)],
  ['that goes on nowhere', page(`<IsTruncated>true</IsTruncated>${contents}`)],
  [
    'with an object of no size',
    page(`<IsTruncated>false</IsTruncated>${contents.replace(/<Size>.*<.Size>/, '')}`),
  ],
  ['of another kind', '<html>welcome</html>'],
])('a listing %s is none', (_, xml) => {
  expect(parseListPage(xml)).toBeUndefined();
});

test('entities', () => {
  const text = `<>&"' é😀`;
  expect(textOf(`<Key>${escapeXml(text)}</Key>`, 'Key')).toBe(text);
  expect(textOf('<Key>&#x1F600;&unknown;</Key>', 'Key')).toBe('😀&unknown;');
});
