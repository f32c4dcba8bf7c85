/** Where a value stands in a Fifo; the handle to remove it by. */
export interface FifoNode<T> {
  readonly value: T;
  previous: FifoNode<T> | undefined;
  next: FifoNode<T> | undefined;
}

/**
 * First in, first out, as a doubly linked list: every operation takes constant time, also taking a value out of the middle, for queues
 * may be long and a waiting publisher may be aborted.
 */
export class Fifo<T> {
  private first: FifoNode<T> | undefined;
  private last: FifoNode<T> | undefined;
  size = 0;

  peek(): T | undefined {
    return this.first?.value;
  }

  push(value: T): FifoNode<T> {
    const node: FifoNode<T> = { value, previous: this.last, next: undefined };
    if (this.last) this.last.next = node;
    else this.first = node;
    this.last = node;
    this.size++;
    return node;
  }

  /** In front of all others. */
  unshift(value: T): FifoNode<T> {
    const node: FifoNode<T> = { value, previous: undefined, next: this.first };
    if (this.first) this.first.previous = node;
    else this.last = node;
    this.first = node;
    this.size++;
    return node;
  }

  shift(): T | undefined {
    const node = this.first;
    if (node) this.remove(node);
    return node?.value;
  }

  /** Takes a value out by its handle, once: the handle must still be in this queue. */
  remove(node: FifoNode<T>): void {
    if (node.previous) node.previous.next = node.next;
    else this.first = node.next;
    if (node.next) node.next.previous = node.previous;
    else this.last = node.previous;
    this.size--;
  }
}
