/* What datagrams and wakes cost in the kernel, one way beside another: docs/adr/0035-the-kernels-share.md has its figures.
 *
 *   cc -O2 -o target/datagrams tests/benches/kernel/datagrams.c && taskset -c 0 target/datagrams
 *
 * Microseconds of CPU of this process per datagram, or per wake. Everything is on one core, and takes turns in three rounds.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/io_uring.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SIP 700
#define RTP 172
#define MANY 20000
#define BATCH 32
#define STREAMS 256

static char data[65536];

static double cpu(void) {
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static void check(int ok, const char *what) {
	if (!ok) {
		perror(what);
		exit(1);
	}
}

/* A socket of the loopback, bound to a free port or to the one in `at`. */
static int udp(struct sockaddr_in *at, int reuse) {
	int one = 1, room = 1 << 20, s = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	socklen_t length = sizeof *at;
	at->sin_family = AF_INET;
	at->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (reuse)
		setsockopt(s, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one);
	check(s >= 0 && bind(s, (void *)at, sizeof *at) == 0, "a socket");
	getsockname(s, (void *)at, &length);
	setsockopt(s, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
	return s;
}

static void say(const char *what, double send, double receive) {
	printf("%-52s send %6.2f   receive %6.2f\n", what, send, receive);
}

/* Both ends of one flow, `n` datagrams at a time. */
enum how { ALONE, CONNECTED, MANY_CALLS, SEGMENTS };

static void flow(const char *what, enum how how, int n, int size, int gro, int stamps) {
	struct sockaddr_in from = {0}, to = {0};
	int s = udp(&from, 0), r = udp(&to, 0), one = 1;
	struct mmsghdr out[BATCH] = {0}, in[BATCH] = {0};
	struct iovec pieces[BATCH], slots[BATCH];
	static char buffers[BATCH][65536], extras[BATCH][128];
	struct sockaddr_in peers[BATCH];
	double sending = 0, receiving = 0, start;
	if (how == CONNECTED)
		check(connect(s, (void *)&to, sizeof to) == 0, "connect");
	if (gro)
		setsockopt(r, SOL_UDP, UDP_GRO, &one, sizeof one);
	if (stamps)
		setsockopt(r, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof one);
	for (int round = 0; round < MANY / n; round++) {
		start = cpu();
		if (how == ALONE || how == CONNECTED) {
			for (int i = 0; i < n; i++)
				how == ALONE ? sendto(s, data, size, 0, (void *)&to, sizeof to) : send(s, data, size, 0);
		} else if (how == MANY_CALLS) {
			for (int i = 0; i < n; i++) {
				pieces[i] = (struct iovec){data, size};
				out[i].msg_hdr = (struct msghdr){&to, sizeof to, &pieces[i], 1, NULL, 0, 0};
			}
			check(sendmmsg(s, out, n, 0) == n, "sendmmsg");
		} else {
			char extra[CMSG_SPACE(sizeof(unsigned short))] = {0};
			struct iovec piece = {data, (size_t)size * n};
			struct msghdr all = {&to, sizeof to, &piece, 1, extra, sizeof extra, 0};
			struct cmsghdr *segment = CMSG_FIRSTHDR(&all);
			segment->cmsg_level = SOL_UDP;
			segment->cmsg_type = UDP_SEGMENT;
			segment->cmsg_len = CMSG_LEN(sizeof(unsigned short));
			*(unsigned short *)CMSG_DATA(segment) = size;
			check(sendmsg(s, &all, 0) == size * n, "segments");
		}
		sending += cpu() - start;
		start = cpu();
		if (how == ALONE || how == CONNECTED) {
			socklen_t length = sizeof peers[0];
			for (int i = 0; i < n; i++)
				recvfrom(r, buffers[0], sizeof buffers[0], 0, (void *)&peers[0], &length);
		} else {
			int wanted = gro ? 1 : n;
			for (int i = 0; i < BATCH; i++) {
				slots[i] = (struct iovec){buffers[i], sizeof buffers[i]};
				in[i].msg_hdr = (struct msghdr){&peers[i], sizeof peers[i], &slots[i], 1, extras[i], sizeof extras[i], 0};
			}
			check(recvmmsg(r, in, BATCH, MSG_DONTWAIT, NULL) == wanted, "recvmmsg");
		}
		receiving += cpu() - start;
	}
	say(what, sending / (MANY / n * n), receiving / (MANY / n * n));
	close(s);
	close(r);
}

/* A ring with room for a round of all streams. */
struct ring {
	int fd;
	unsigned *tail, *mask, *array, *done_head, *done_tail, *done_mask;
	struct io_uring_sqe *entries;
	struct io_uring_cqe *done;
};

static int ring_open(struct ring *ring) {
	struct io_uring_params p = {0};
	char *submitted, *completed;
	p.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN;
	ring->fd = syscall(SYS_io_uring_setup, STREAMS, &p);
	if (ring->fd < 0)
		return 0;
	submitted = mmap(0, p.sq_off.array + p.sq_entries * 4, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, IORING_OFF_SQ_RING);
	completed = mmap(0, p.cq_off.cqes + p.cq_entries * sizeof(struct io_uring_cqe), PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, IORING_OFF_CQ_RING);
	ring->entries = mmap(0, p.sq_entries * sizeof(struct io_uring_sqe), PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, IORING_OFF_SQES);
	ring->tail = (void *)(submitted + p.sq_off.tail);
	ring->mask = (void *)(submitted + p.sq_off.ring_mask);
	ring->array = (void *)(submitted + p.sq_off.array);
	ring->done_head = (void *)(completed + p.cq_off.head);
	ring->done_tail = (void *)(completed + p.cq_off.tail);
	ring->done_mask = (void *)(completed + p.cq_off.ring_mask);
	ring->done = (void *)(completed + p.cq_off.cqes);
	return 1;
}

static void ring_add(struct ring *ring, int i, int operation, int fd, struct msghdr *message) {
	unsigned at = *ring->tail + i, place = at & *ring->mask;
	struct io_uring_sqe *entry = &ring->entries[place];
	memset(entry, 0, sizeof *entry);
	entry->opcode = operation;
	entry->fd = fd;
	entry->addr = (unsigned long)message;
	entry->len = 1;
	ring->array[place] = place;
}

/* Hands all to the kernel and waits for them; false when one failed. */
static int ring_go(struct ring *ring, int n) {
	int good = 1;
	__atomic_store_n(ring->tail, *ring->tail + n, __ATOMIC_RELEASE);
	syscall(SYS_io_uring_enter, ring->fd, n, n, IORING_ENTER_GETEVENTS, NULL, 0);
	unsigned head = *ring->done_head, tail = __atomic_load_n(ring->done_tail, __ATOMIC_ACQUIRE);
	good = tail - head == (unsigned)n;
	for (; head != tail; head++)
		good &= ring->done[head & *ring->done_mask].res > 0;
	__atomic_store_n(ring->done_head, head, __ATOMIC_RELEASE);
	return good;
}

/* A relay's round: each of many sockets has one datagram, which goes on to somebody. */
enum relay { LEVEL, EDGE, NO_EPOLL, RING, SHARED };

static void relay(const char *what, enum relay how) {
	struct sockaddr_in phone = {0}, sink = {0}, at[STREAMS] = {0};
	int p = udp(&phone, 0), q = udp(&sink, 0), sockets[STREAMS], e = epoll_create1(0);
	struct epoll_event ready[STREAMS];
	struct ring ring;
	static struct msghdr messages[STREAMS];
	static struct iovec pieces[STREAMS];
	static struct sockaddr_in peers[STREAMS];
	static char buffers[STREAMS][256];
	double receiving = 0, sending = 0, start;
	int found, rounds = 200;
	char waste[256];
	if (how == RING && !ring_open(&ring)) {
		printf("%-52s not to be had: %s\n", what, strerror(errno));
		return;
	}
	for (int i = 0; i < STREAMS; i++) {
		sockets[i] = how == SHARED && i > 0 ? sockets[0] : udp(&at[i], 0);
		if (how == SHARED)
			at[i] = at[0];
		struct epoll_event event = {EPOLLIN | (how == EDGE ? EPOLLET : 0), {.u32 = i}};
		if (how != SHARED || i == 0)
			epoll_ctl(e, EPOLL_CTL_ADD, sockets[i], &event);
	}
	for (int round = 0; round < rounds; round++) {
		for (int i = 0; i < STREAMS; i++)
			sendto(p, data, RTP, 0, (void *)&at[i], sizeof at[i]);
		start = cpu();
		socklen_t length = sizeof peers[0];
		if (how == LEVEL || how == EDGE) {
			found = epoll_wait(e, ready, STREAMS, 0);
			check(found == STREAMS, "epoll_wait");
			for (int i = 0; i < found; i++) {
				int from = sockets[ready[i].data.u32];
				recvfrom(from, buffers[i], 256, 0, (void *)&peers[i], &length);
				if (how == EDGE)
					recvfrom(from, waste, 256, 0, (void *)&peers[i], &length);
			}
			if (how == LEVEL)
				epoll_wait(e, ready, STREAMS, 0);
		} else if (how == NO_EPOLL) {
			for (int i = 0; i < STREAMS; i++)
				recvfrom(sockets[i], buffers[i], 256, 0, (void *)&peers[i], &length);
		} else if (how == RING) {
			for (int i = 0; i < STREAMS; i++) {
				pieces[i] = (struct iovec){buffers[i], 256};
				messages[i] = (struct msghdr){&peers[i], sizeof peers[i], &pieces[i], 1, NULL, 0, 0};
				ring_add(&ring, i, IORING_OP_RECVMSG, sockets[i], &messages[i]);
			}
			check(ring_go(&ring, STREAMS), "receive by ring");
		} else {
			struct mmsghdr in[BATCH];
			for (int done = 0; done < STREAMS; done += BATCH) {
				for (int i = 0; i < BATCH; i++) {
					pieces[i] = (struct iovec){buffers[i], 256};
					in[i].msg_hdr = (struct msghdr){&peers[i], sizeof peers[i], &pieces[i], 1, NULL, 0, 0};
				}
				check(recvmmsg(sockets[0], in, BATCH, MSG_DONTWAIT, NULL) == BATCH, "recvmmsg");
			}
		}
		receiving += cpu() - start;
		start = cpu();
		if (how == RING) {
			for (int i = 0; i < STREAMS; i++) {
				pieces[i] = (struct iovec){buffers[i], RTP};
				messages[i] = (struct msghdr){&sink, sizeof sink, &pieces[i], 1, NULL, 0, 0};
				ring_add(&ring, i, IORING_OP_SENDMSG, sockets[i], &messages[i]);
			}
			check(ring_go(&ring, STREAMS), "send by ring");
		} else if (how == SHARED) {
			struct mmsghdr out[BATCH] = {0};
			for (int done = 0; done < STREAMS; done += BATCH) {
				for (int i = 0; i < BATCH; i++) {
					pieces[i] = (struct iovec){buffers[i], RTP};
					out[i].msg_hdr = (struct msghdr){&sink, sizeof sink, &pieces[i], 1, NULL, 0, 0};
				}
				check(sendmmsg(sockets[0], out, BATCH, 0) == BATCH, "sendmmsg");
			}
		} else {
			for (int i = 0; i < STREAMS; i++)
				sendto(sockets[i], buffers[i], RTP, 0, (void *)&sink, sizeof sink);
		}
		sending += cpu() - start;
		while (recv(q, waste, sizeof waste, 0) > 0) {
		}
	}
	say(what, sending / rounds / STREAMS, receiving / rounds / STREAMS);
	for (int i = 0; i < (how == SHARED ? 1 : STREAMS); i++)
		close(sockets[i]);
	close(e), close(p), close(q);
	if (how == RING)
		close(ring.fd);
}

/* 64 peers of one port, which one socket has or several have. */
static void shards(const char *what, int n) {
	struct sockaddr_in peers[64] = {0}, port = {0};
	int from[64], sockets[8], e = epoll_create1(0), rounds = 300;
	struct epoll_event ready[8];
	double receiving = 0, sending = 0, start;
	char waste[1024];
	for (int i = 0; i < 64; i++)
		from[i] = udp(&peers[i], 0);
	for (int i = 0; i < n; i++) {
		struct epoll_event event = {EPOLLIN, {.u32 = i}};
		sockets[i] = udp(&port, 1);
		epoll_ctl(e, EPOLL_CTL_ADD, sockets[i], &event);
	}
	for (int round = 0; round < rounds; round++) {
		start = cpu();
		for (int i = 0; i < 64; i++)
			sendto(from[i], data, SIP, 0, (void *)&port, sizeof port);
		sending += cpu() - start;
		start = cpu();
		int found = epoll_wait(e, ready, 8, 0);
		for (int i = 0; i < found; i++)
			while (recv(sockets[ready[i].data.u32], waste, sizeof waste, 0) > 0) {
			}
		receiving += cpu() - start;
	}
	say(what, sending / rounds / 64, receiving / rounds / 64);
	for (int i = 0; i < 64; i++)
		close(from[i]);
	for (int i = 0; i < n; i++)
		close(sockets[i]);
	close(e);
}

static void wakes(void) {
	struct itimerspec once = {{0, 0}, {0, 0}};
	int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK), e = epoll_create1(0), n = 2000;
	struct epoll_event event = {EPOLLIN | EPOLLET, {0}};
	struct sockaddr_in one = {0}, other = {0};
	int here = udp(&one, 0), there = udp(&other, 0);
	char c = 0;
	double start;
	epoll_ctl(e, EPOLL_CTL_ADD, timer, &event);
	start = cpu();
	for (int i = 0; i < n; i++) {
		once.it_value.tv_nsec = 100000000 - i * 1000;
		timerfd_settime(timer, 0, &once, NULL);
	}
	printf("%-52s %6.2f\n", "to set a timer", (cpu() - start) / n);
	start = cpu();
	for (int i = 0; i < n; i++) {
		once.it_value.tv_nsec = 300000;
		timerfd_settime(timer, 0, &once, NULL);
		epoll_wait(e, &event, 1, -1);
	}
	printf("%-52s %6.2f\n", "to set a timer, sleep and be woken by it", (cpu() - start) / n);
	start = cpu();
	for (int i = 0; i < n * 10; i++)
		epoll_wait(e, &event, 1, 0);
	printf("%-52s %6.2f\n", "to ask epoll and find nothing", (cpu() - start) / n / 10);
	/* Two processes that send each other one datagram to and fro: a send, a receive, a sleep and a wake each. */
	connect(here, (void *)&other, sizeof other);
	connect(there, (void *)&one, sizeof one);
	int mine = fork() == 0 ? there : here, watch = epoll_create1(0);
	event.events = EPOLLIN | EPOLLET;
	epoll_ctl(watch, EPOLL_CTL_ADD, mine, &event);
	if (mine == here)
		send(mine, &c, 1, 0);
	start = cpu();
	for (int i = 0; i < n * 5; i++) {
		while (recv(mine, &c, 1, 0) < 1)
			epoll_wait(watch, &event, 1, -1);
		send(mine, &c, 1, 0);
	}
	if (mine == there)
		exit(0);
	printf("%-52s %6.2f\n", "to be woken by a datagram, read it and answer", (cpu() - start) / n / 5);
	wait(NULL);
}

int main(void) {
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (int round = 1; round <= 3; round++) {
		printf("round %d\n", round);
		flow("sendto, recvfrom", ALONE, 8, SIP, 0, 0);
		flow("connected", CONNECTED, 8, SIP, 0, 0);
		flow("sendmmsg, recvmmsg, 2 at a time", MANY_CALLS, 2, SIP, 0, 0);
		flow("sendmmsg, recvmmsg, 8 at a time", MANY_CALLS, 8, SIP, 0, 0);
		flow("sendmmsg, recvmmsg, 32 at a time", MANY_CALLS, 32, SIP, 0, 0);
		flow("the same with times of arrival, 8 at a time", MANY_CALLS, 8, SIP, 0, 1);
		flow("segments, 2 at a time", SEGMENTS, 2, SIP, 0, 0);
		flow("segments, 3 at a time", SEGMENTS, 3, SIP, 0, 0);
		flow("segments, 4 at a time", SEGMENTS, 4, SIP, 0, 0);
		flow("segments, 8 at a time", SEGMENTS, 8, SIP, 0, 0);
		flow("segments, 32 at a time", SEGMENTS, 32, SIP, 0, 0);
		flow("segments received together, 3 at a time", SEGMENTS, 3, SIP, 1, 0);
		flow("segments received together, 8 at a time", SEGMENTS, 8, SIP, 1, 0);
		flow("RTP: sendto, recvfrom", ALONE, 8, RTP, 0, 0);
		flow("RTP: connected", CONNECTED, 8, RTP, 0, 0);
		relay("RTP by a socket per stream: epoll, level", LEVEL);
		relay("RTP by a socket per stream: epoll, edge, until empty", EDGE);
		relay("RTP by a socket per stream: no epoll (no relay)", NO_EPOLL);
		relay("RTP by a socket per stream: io_uring", RING);
		relay("RTP by one socket for all: recvmmsg, sendmmsg", SHARED);
		shards("64 peers, one socket", 1);
		shards("64 peers, SO_REUSEPORT, 4 sockets", 4);
		wakes();
	}
}
