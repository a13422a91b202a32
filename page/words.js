// What the words of TCP mean, for a reader who is new to it. A word is told of if the page uses it.
const FATES = {
  "lost: fault": "lost on purpose", "lost: chance": "lost by chance", "lost: burst": "lost in a burst",
  "lost: queue": "the queue is full", "over the MTU": "larger than the MTU", "by a router": "dropped by a router", "damaged": "a bit is flipped",
};
const fateText = (r) => FATES[r.fate] || r.fate;

const WORDS = [
  ["SYN, ACK, FIN, RST", /SYN|FIN|RST/, "flags of a segment: SYN opens a connection and FIN closes one side of it; ACK confirms what has come; RST ends it at once"],
  ["data 1:101", /data \d+:\d+/, "the bytes 1 to 100, counted from the start of the connection in this direction; “ack 101” says that all before 101 has arrived. SYN and FIN count as one byte each"],
  ["window", /window|win 0/, "how many bytes the receiver still has room for; the sender stops when it is used up"],
  ["MSS", /\bmss\b|MSS/, "the most bytes that an end takes in one segment"],
  ["cwnd", /cwnd/, "congestion window: how many bytes the sender dares to have under way; it grows with each acknowledgment and shrinks after a loss"],
  ["ssthresh", /ssthresh/, "below it cwnd doubles in each round trip (slow start), above it grows slowly (congestion avoidance)"],
  ["in flight", /in flight/, "sent and not yet acknowledged"],
  ["rto", /\brto\b|retransmission timeout/, "retransmission timeout: how long the sender waits for an acknowledgment before it sends again; it doubles with each repetition"],
  ["srtt", /\bsrtt\b/, "smoothed round trip time"],
  ["SACK", /SACK|\bsack\b/, "selective acknowledgment: these bytes have arrived too, though something before them is missing"],
  ["delayed ACK", /delayed ACK/, "an acknowledgment waits a little, for more to acknowledge or for an answer that can carry it"],
  ["tail loss probe", /tail loss probe/, "the last segment once more, earlier than the timeout, to make the receiver say what is missing"],
  ["TIME-WAIT", /TIME-WAIT/, "the end that closed first remembers the connection for a minute, in case its last ACK was lost or old segments come late"],
  ["SYN cookie", /cookie/i, "a listener without room puts what it has to remember into the number of its SYN/ACK, and keeps nothing"],
];

function fillWords() {
  // Of the diagram only what happened counts.
  const said = [...document.querySelectorAll("section:not(#states):not(#words), #steps")].map((x) => x.textContent).join(" ");
  const used = WORDS.filter(([, pattern]) => pattern.test(said));
  $("words").hidden = !used.length;
  $("word-list").append(...used.flatMap(([word, , meaning]) => [h("dt", {}, word), h("dd", {}, meaning)]));
}
