/* The least that a media relay can do, as a floor for the others: one thread, one epoll, recvmmsg and sendmmsg.
 *
 *   bare sockets ADDRESS PORT PHONE_A PHONE_B FIRST COUNT   a socket for each side of a call, as real relays have
 *   bare shared  ADDRESS PORT PHONE_A PHONE_B FIRST COUNT   one socket for all: less than any relay with ports of its own
 *
 * Call i has the phones PHONE_A:P and PHONE_B:P, where P is FIRST + 2 (i mod COUNT), and the sockets ADDRESS:PORT + 2i
 * and the one after it.
 * A number on the standard input is the calls to have sockets for; "ready" is the answer. Its end ends this program. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BATCH = 32, SIDES = 1 << 15, PACKET = 2048 };

static struct { int socket; struct sockaddr_in phone; } sides[SIDES];
static struct mmsghdr messages[BATCH];
static struct iovec places[BATCH];
static struct sockaddr_in sources[BATCH];
static char packets[BATCH][PACKET];

static struct sockaddr_in address(const char *host, int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    if (inet_pton(AF_INET, host, &address.sin_addr) != 1) exit(2);
    return address;
}

static void watch(int epoll, int file, unsigned which) {
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = which};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, file, &event)) { perror("epoll_ctl"); exit(1); }
}

static void open_side(int epoll, int side, const char *host, int port) {
    struct sockaddr_in own = address(host, port);
    int most = 1 << 22; /* The kernel gives what it may; a socket for all streams needs much. */
    sides[side].socket = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    setsockopt(sides[side].socket, SOL_SOCKET, SO_RCVBUF, &most, sizeof most);
    if (bind(sides[side].socket, (struct sockaddr *)&own, sizeof own)) { perror("bind"); exit(1); }
    watch(epoll, sides[side].socket, side);
}

/* Whatever has come to one side leaves through `out`; `phone` is NULL where the source tells who the other one is. */
static void forward(int in, int out, struct sockaddr_in *phone, in_addr_t both) {
    for (int i = 0; i < BATCH; i++) {
        places[i] = (struct iovec){packets[i], PACKET};
        messages[i].msg_hdr = (struct msghdr){
            .msg_name = &sources[i], .msg_namelen = sizeof sources[i], .msg_iov = &places[i], .msg_iovlen = 1};
    }
    int count = recvmmsg(in, messages, BATCH, MSG_DONTWAIT, NULL);
    for (int i = 0; i < count; i++) {
        places[i].iov_len = messages[i].msg_len;
        if (phone) messages[i].msg_hdr.msg_name = phone;
        else sources[i].sin_addr.s_addr ^= both;
    }
    for (int sent = 0; sent < count;) {
        int more = sendmmsg(out, messages + sent, count - sent, 0);
        sent += more > 0 ? more : 1;
    }
}

int main(int argc, char **argv) {
    if (argc != 8) return 2;
    int shared = !strcmp(argv[1], "shared"), port = atoi(argv[3]), open = 0;
    int first = atoi(argv[6]), phones = atoi(argv[7]);
    in_addr_t both = address(argv[4], 0).sin_addr.s_addr ^ address(argv[5], 0).sin_addr.s_addr;
    int epoll = epoll_create1(0);
    watch(epoll, STDIN_FILENO, SIDES);
    if (shared) open_side(epoll, 0, argv[2], port);
    for (;;) {
        struct epoll_event events[256];
        int count = epoll_wait(epoll, events, 256, -1);
        for (int i = 0; i < count; i++) {
            unsigned side = events[i].data.u32;
            if (side == SIDES) {
                char line[32] = "";
                if (read(STDIN_FILENO, line, sizeof line - 1) <= 0) return 0;
                for (; !shared && open < 2 * atoi(line) && open < SIDES; open++) {
                    sides[open].phone = address(argv[4 + open % 2], first + open / 2 % phones * 2);
                    open_side(epoll, open, argv[2], port + open);
                }
                puts("ready");
                fflush(stdout);
            } else if (shared) {
                forward(sides[0].socket, sides[0].socket, NULL, both);
            } else {
                forward(sides[side].socket, sides[side ^ 1].socket, &sides[side ^ 1].phone, 0);
            }
        }
    }
}
